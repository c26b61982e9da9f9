import { afterTurn, type Duration, ms, seconds, systemClock } from '../../../../platform/time/index.ts'
import type { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { Kubernetes, WatchEvent } from '../../kubernetes/kubernetes.ts'
import type { FaultServer } from './fault-server.ts'

/** Real time after which a test has failed, on a machine that does ten other things. */
const PATIENCE = seconds(60)

/** Of virtual time, between two looks. */
const MOMENT = ms(250)

/**
 * Virtual time over real sockets: it stands still while an answer of the server is under way, and moves on when all that is left
 * are waits, and requests that the server holds.
 */
export class Driven {
  readonly kubernetes: Kubernetes
  readonly #clock: FakeClock
  readonly #server: FaultServer
  /** Calls without an answer, and watches that were not heard of. */
  #open = 0

  constructor(kubernetes: Kubernetes, clock: FakeClock, server: FaultServer) {
    this.#clock = clock
    this.#server = server
    this.kubernetes = {
      get: (...given) => this.#count(kubernetes.get(...given)),
      list: (...given) => this.#count(kubernetes.list(...given)),
      create: (...given) => this.#count(kubernetes.create(...given)),
      createBelow: (...given) => this.#count(kubernetes.createBelow(...given)),
      review: (...given) => this.#count(kubernetes.review(...given)),
      replace: (...given) => this.#count(kubernetes.replace(...given)),
      patch: (...given) => this.#count(kubernetes.patch(...given)),
      delete: (...given) => this.#count(kubernetes.delete(...given)),
      watch: (...given) => this.#heard(kubernetes.watch(...given)),
    }
  }

  async pass(duration: Duration, step: Duration = ms(500)): Promise<void> {
    for (let left = duration.milliseconds; left > 0; left -= step.milliseconds) {
      await this.#rest()
      await this.#clock.advance(ms(Math.min(left, step.milliseconds)))
    }
    await this.#rest()
  }

  /** Until it is so; time passes meanwhile, at most so much. */
  async until(what: string, isSo: () => boolean, most: Duration = seconds(120)): Promise<void> {
    const begun = systemClock.monotonic()
    for (let passed = 0; ; passed += MOMENT.milliseconds) {
      await this.#rest()
      if (isSo()) return
      if (passed < most.milliseconds) await this.#clock.advance(MOMENT)
      // What a watch brings comes without being asked for.
      const since = systemClock.monotonic()
      while (!isSo() && systemClock.monotonic() - since < 10) await turn()
      if (since - begun > PATIENCE.milliseconds) throw new Error(`${what} has not come to be`)
    }
  }

  async #rest(): Promise<void> {
    const begun = systemClock.monotonic()
    while (this.#open > this.#server.held) {
      await turn()
      if (systemClock.monotonic() - begun < PATIENCE.milliseconds) continue
      throw new Error(`${this.#open} calls have no answer, and the server holds ${this.#server.held}`)
    }
  }

  async #count<T>(call: Promise<T>): Promise<T> {
    this.#open++
    try {
      return await call
    } finally {
      this.#open--
    }
  }

  async *#heard<T>(events: AsyncIterable<WatchEvent<T>>): AsyncGenerator<WatchEvent<T>> {
    let isHeard = false
    const hear = () => {
      if (!isHeard) this.#open--
      isHeard = true
    }
    this.#open++
    try {
      for await (const event of events) {
        hear()
        yield event
      }
    } finally {
      hear()
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => afterTurn(resolve))
}
