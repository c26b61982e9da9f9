import { row } from '../print.ts'

/** For what has to happen, also on a machine that is slow. */
export const PATIENCE_MS = 60_000

/** Sorted. A measurement without values is a failure, not a zero. */
export function sorted(what: string, times: readonly number[], least: number): readonly number[] {
  if (times.length < least) throw new Error(`${what}: only ${times.length} of at least ${least} measurements`)
  return times.toSorted((a, b) => a - b)
}

export function share(times: readonly number[], part: number): number {
  return times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? Number.NaN
}

/** p50 and p99 of times in ms. */
export function timeRow(what: string, times: readonly number[], beside = ''): void {
  const text = `p50 ${share(times, 0.5).toFixed(1)} p99 ${share(times, 0.99).toFixed(1)} ms`
  row(what, text, `${beside}${beside === '' ? '' : ', '}${times.length} measurements`)
}

/** Runs `work` so many times at once, again and again for so long; how often a second it was done. */
export async function ratePerSecond(
  atOnce: number,
  milliseconds: number,
  work: (lane: number) => Promise<void>,
): Promise<number> {
  const begin = performance.now()
  let done = 0
  const lane = async (index: number) => {
    while (performance.now() - begin < milliseconds) {
      await work(index)
      done++
    }
  }
  await Promise.all(Array.from({ length: atOnce }, (_, index) => lane(index)))
  return (done * 1000) / (performance.now() - begin)
}

/** Does `work` for each, so many at once. */
export async function forEach<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>) {
  const rest = items.values()
  const lane = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
}

/** Settles with what the promise gives, or rejects and says what did not happen. */
export async function within<T>(what: string, milliseconds: number, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${what}: not within ${milliseconds} ms`)), milliseconds)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
