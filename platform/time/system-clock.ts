import type { Clock } from './clock.ts'
import type { Duration } from './duration.ts'
import { sleepBy } from './sleep.ts'

/** setTimeout fires at once beyond this many ms. */
const LONGEST_TIMER = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (duration, signal) => sleepBy((fire) => startTimer(duration, true, fire), signal),
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
