import type { MapperContext } from '../contract/index.ts'

export interface Patience {
  readonly clock: MapperContext['clock']
  readonly milliseconds: number
  /** Whichever aborts first ends the waiting with its reason. */
  readonly signals: readonly AbortSignal[]
  /** What is thrown when the time is over. */
  late(): Error
}

/** What `work` settles with, within bounds; nothing of the waiting is left behind. */
export async function settle<T>(work: Promise<T>, { clock, milliseconds, signals, late }: Patience): Promise<T> {
  const done = new AbortController()
  const { promise, reject } = Promise.withResolvers<never>()
  for (const signal of signals) {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true, signal: done.signal })
  }
  clock.sleep(milliseconds, done.signal).then(
    () => reject(late()),
    () => undefined,
  )
  try {
    return await Promise.race([work, promise])
  } finally {
    done.abort()
  }
}
