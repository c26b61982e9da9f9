import type { Duration } from './duration.ts'

/** The only source of time. Handed in by the composition root; tests bring a FakeClock. */
export interface Clock {
  /** Wall clock, Unix ms. May jump. */
  now(): number
  /** Never jumps back, ms since an arbitrary start. For measuring. */
  monotonic(): number
  /** Settles after the duration, or rejects with the signal's reason. */
  sleep(duration: Duration, signal?: AbortSignal): Promise<void>
  /** Runs `callback` once after the duration unless disposed before. Does not keep the process alive. */
  after(duration: Duration, callback: () => void): Disposable
}

/** Rejection of work that outlived its deadline. */
export class DeadlineError extends Error {
  override readonly name = 'DeadlineError'
  readonly code = 'PLATFORM_DEADLINE'
}

/**
 * Runs `work` with a signal that aborts at the deadline or with the given signal, and rejects with the abort's reason even
 * when the work ignores its signal. The timer is released in every case.
 */
export async function withDeadline<T>(
  clock: Clock,
  duration: Duration,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const controller = new AbortController()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const abort = (reason: unknown) => {
    controller.abort(reason)
    reject(reason)
  }
  // Not AbortSignal.any: an outer signal may live as long as the process and would remember each call.
  const onAbort = () => abort(signal?.reason)
  using _timer = clock.after(duration, () => {
    abort(new DeadlineError(`no answer within ${duration.milliseconds} ms`))
  })
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work(controller.signal), aborted])
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}
