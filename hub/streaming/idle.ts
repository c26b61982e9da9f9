import { type Clock, type Duration, minutes, ms } from '../../platform/time/index.ts'

/** Until streams end on which nothing moves: as long as upstream. */
export const IDLE_WITHIN: Duration = minutes(240)

/** Calls `onIdle` once when nobody has called `touch` for so long. */
export function idleWatch(clock: Clock, within: Duration, onIdle: () => void): Disposable & { touch(): void } {
  let last = clock.monotonic()
  let timer = clock.after(within, check)
  function check() {
    const left = last + within.milliseconds - clock.monotonic()
    if (left <= 0) return onIdle()
    timer = clock.after(ms(left), check)
  }
  return {
    touch() {
      last = clock.monotonic()
    },
    [Symbol.dispose]() {
      timer[Symbol.dispose]()
    },
  }
}
