import type { PropertyType } from '../../../schemas/index.ts'

/** A change that is not greater is no news: in the unit of the value, or a share of the value that was sent last. */
export interface Deadband {
  readonly size: number
  readonly isShare: boolean
}

export function parseDeadband(config: number | string): Deadband | undefined {
  if (typeof config === 'number') return config > 0 ? { size: config, isShare: false } : undefined
  const percent = Number(config.replace('%', '').trim())
  return percent > 0 ? { size: percent / 100, isShare: true } : undefined
}

/** Whether this value of a number is as good as the one that was sent. Both canonical texts. */
export function isWithin({ size, isShare }: Deadband, type: PropertyType, sent: string, value: string): boolean {
  const before = Number(sent)
  const change = Math.abs(type === 'INT' ? differenceOf(sent, value) : Number(value) - before)
  return change <= (isShare ? Math.abs(before) * size : size)
}

/** Large integers differ by less than their doubles do. */
function differenceOf(sent: string, value: string): number {
  const [a, b] = [Number(sent), Number(value)]
  return Number.isSafeInteger(a) && Number.isSafeInteger(b) ? b - a : Number(BigInt(value) - BigInt(sent))
}
