import { type Clock, TokenBucket } from '../../../../platform/time/index.ts'
import { CallRefusal } from '../router-error.ts'
import type { LiveRule } from '../rules/live-rule.ts'

interface Gate {
  ratePerSecond: number
  bucket: TokenBucket
  inside: number
}

const MOST_GATES = 10_000

/** How many calls of each rule are let in, a second and at a time. A rule that changes its rate begins anew. */
export class RuleGates {
  readonly #clock: Clock
  readonly #gates = new Map<string, Gate>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Lets a call in until what it gives back is disposed; throws the refusal that it is answered with. */
  enter({ key, settings }: LiveRule): Disposable {
    const gate = this.#gate(key, settings.ratePerSecond)
    const { bucket } = gate
    if (bucket.wait > 0) {
      const retryAfterSeconds = Math.max(1, Math.ceil(bucket.wait / 1000))
      const message = `more than ${settings.ratePerSecond} calls a second`
      throw new CallRefusal({ status: 429, code: 'HUB_RULE_RATE', message, retryAfterSeconds })
    }
    if (gate.inside >= settings.concurrency) {
      const message = `more than ${settings.concurrency} calls at a time`
      throw new CallRefusal({ status: 503, code: 'HUB_RULE_CONCURRENCY', message, retryAfterSeconds: 1 })
    }
    bucket.take()
    gate.inside++
    let isInside = true
    return {
      [Symbol.dispose]: () => {
        if (isInside) gate.inside--
        isInside = false
      },
    }
  }

  forget(key: string): void {
    if (this.#gates.get(key)?.inside === 0) this.#gates.delete(key)
  }

  #gate(key: string, ratePerSecond: number): Gate {
    const present = this.#gates.get(key)
    if (present?.ratePerSecond === ratePerSecond) return present
    const bucket = new TokenBucket(this.#clock, { perSecond: ratePerSecond, burst: ratePerSecond * 2 })
    if (present) return Object.assign(present, { ratePerSecond, bucket })
    if (this.#gates.size >= MOST_GATES) this.#sweep()
    const gate = { ratePerSecond, bucket, inside: 0 }
    this.#gates.set(key, gate)
    return gate
  }

  #sweep(): void {
    for (const [key, { inside }] of this.#gates) if (inside === 0) this.#gates.delete(key)
  }
}
