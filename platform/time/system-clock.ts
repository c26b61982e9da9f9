import type { Clock } from './clock.ts'
import type { Duration } from './duration.ts'

/** setTimeout fires at once beyond this many ms. */
const LONGEST_TIMER = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (duration, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const onAbort = () => {
        timer[Symbol.dispose]()
        reject(signal?.reason)
      }
      const timer = startTimer(duration, true, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
  after: (duration, callback) => startTimer(duration, false, callback),
}

function startTimer(duration: Duration, keepsAlive: boolean, callback: () => void): Disposable {
  let left = duration.milliseconds
  let handle: NodeJS.Timeout
  const arm = () => {
    const step = Math.max(0, Math.min(left, LONGEST_TIMER))
    left -= step
    handle = setTimeout(() => (left > 0 ? arm() : callback()), step)
    if (!keepsAlive) handle.unref()
  }
  arm()
  return { [Symbol.dispose]: () => clearTimeout(handle) }
}
