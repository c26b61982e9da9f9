import { type Clock, ms } from '../../../platform/time/index.ts'

/** Lets one loop wait until there is work. A wake that comes while nobody waits is remembered. */
export class Wakeup {
  readonly #clock: Clock
  #pending = false
  #resolve: (() => void) | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  wake(): void {
    this.#pending = true
    this.#resolve?.()
    this.#resolve = undefined
  }

  /** Settles when woken, after so many ms (undefined: never), or when the signal aborts. Never rejects. */
  async wait(milliseconds: number | undefined, signal: AbortSignal): Promise<void> {
    if (this.#pending || signal.aborted || (milliseconds !== undefined && milliseconds <= 0)) {
      this.#pending = false
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#resolve = resolve
    const timer = milliseconds === undefined ? undefined : this.#clock.after(ms(milliseconds), resolve)
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    await promise
    signal.removeEventListener('abort', onAbort)
    timer?.[Symbol.dispose]()
    this.#resolve = undefined
    this.#pending = false
  }
}
