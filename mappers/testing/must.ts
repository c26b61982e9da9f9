import { isDeepStrictEqual } from 'node:util'
import { formatValue, type PropertyValue } from '../../schemas/index.ts'
import { NotApplicable } from './not-applicable.ts'

/** What the mapper did, against what it should have done. */
export class Broken extends Error {
  override readonly name = 'Broken'
}

export function must(holds: boolean, sentence: string): asserts holds {
  if (!holds) throw new Broken(sentence)
}

export function needs<T>(value: T | undefined, reason: string): T {
  if (value === undefined) throw new NotApplicable(reason)
  return value
}

export function mustEqual(actual: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(actual, expected))
    throw new Broken(`${what}: expected ${shown(expected)}, but it is ${shown(actual)}`)
}

/** A value as a report shows it, cut where it is long. */
export function shown(value: unknown): string {
  const text = textOf(value)
  return text.length > 200 ? `${text.slice(0, 200)} ...` : text
}

function textOf(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`
  if (value === undefined) return 'nothing'
  if (typeof value === 'bigint') return `${value}n`
  if (isValue(value)) return typeof value === 'string' ? JSON.stringify(value) : formatValue(value)
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return `${part}n`
    return part instanceof Error ? textOf(part) : part
  })
}

function isValue(value: unknown): value is PropertyValue {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Uint8Array
}
