import { type Clock, ms, seconds } from '../../../platform/time/index.ts'
import type { Probe } from '../pod/schema/actions.ts'
import { Tally, type Verdict } from './verdict.ts'

export interface ProbeLoopPorts {
  readonly clock: Clock
  /** One question. Rejects only when the signal has aborted. */
  readonly ask: (signal: AbortSignal) => Promise<Verdict>
  /** After each verdict. */
  readonly onVerdict: (verdict: Verdict, isSettled: boolean) => void
}

/** Asks in the rhythm of one probe until it is ended. */
export class ProbeLoop {
  readonly #probe: Probe
  readonly #ports: ProbeLoopPorts
  readonly #tally: Tally
  readonly #end = new AbortController()
  #timer: Disposable | undefined

  constructor(probe: Probe, holds: boolean, ports: ProbeLoopPorts) {
    this.#probe = probe
    this.#ports = ports
    this.#tally = new Tally(holds, probe)
  }

  get holds(): boolean {
    return this.#tally.holds
  }

  /** First after `wait` ms, then each period. */
  begin(wait: number): void {
    this.#askIn(wait)
  }

  end(): void {
    this.#end.abort()
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  #askIn(wait: number): void {
    if (this.#end.signal.aborted) return
    const { clock } = this.#ports
    this.#timer = clock.after(ms(wait), () => void this.#ask(clock.monotonic()))
  }

  async #ask(due: number): Promise<void> {
    const { signal } = this.#end
    try {
      const verdict = await this.#ports.ask(signal)
      if (signal.aborted) return
      const isSettled = this.#tally.take(verdict)
      this.#ports.onVerdict(verdict, isSettled)
    } catch (error) {
      if (signal.aborted) return
      throw error
    } finally {
      // A question that took longer than the period is followed by the next one at once.
      const period = seconds(this.#probe.periodSeconds).milliseconds
      this.#askIn(Math.max(0, due + period - this.#ports.clock.monotonic()))
    }
  }
}
