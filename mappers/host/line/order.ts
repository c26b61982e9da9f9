import { Backoff, type BackoffOptions, type Random } from '../../../platform/time/index.ts'
import type { OrderedValue, WriteResult } from '../../../schemas/index.ts'

/**
 * One wish for one property and how far it is: due, done on this connection, or refused for good. Failures are told once
 * for each new reason, not for each try.
 */
export class OrderProgress {
  readonly order: OrderedValue
  readonly #backoff: Backoff
  #state: 'due' | 'done' | 'refused' = 'due'
  /** Monotonic ms. */
  #notBefore = Number.NEGATIVE_INFINITY
  #told: string | undefined
  /** The device had this value once; that it is away now does not undo that. */
  #fulfilled = false
  /** The connection went while it was written. It may be the reason, and must not take one connection after the other with it. */
  #isSuspect = false

  constructor(order: OrderedValue, retry: BackoffOptions, random: Random) {
    this.order = order
    this.#backoff = new Backoff(retry, random)
  }

  /** To be written by itself, so that it takes no other with it. */
  get isSuspect(): boolean {
    return this.#isSuspect
  }

  /** When it has to be written; undefined when nothing is left to do on this connection. */
  get due(): number | undefined {
    return this.#state === 'due' ? this.#notBefore : undefined
  }

  /** A new connection: the device may have forgotten what it was told. */
  renew(): void {
    if (this.#state !== 'refused') this.#state = 'due'
    if (!this.#isSuspect) this.#notBefore = Number.NEGATIVE_INFINITY
  }

  succeed(property: string): WriteResult {
    this.#state = 'done'
    this.#fulfilled = true
    this.#told = undefined
    this.#isSuspect = false
    this.#backoff.reset()
    return { property, orderId: this.order.id, value: this.order.value }
  }

  /** Tried again after a wait. The result is undefined when the same has been told before. */
  fail(property: string, reason: string, message: string, now: number): WriteResult | undefined {
    this.#notBefore = now + this.#backoff.next().milliseconds
    this.#isSuspect = false
    return this.#tell(property, reason, message)
  }

  /** The connection was lost while it was written: its wait holds on the next connection too. */
  lose(property: string, message: string, now: number): WriteResult | undefined {
    const told = this.fail(property, 'ConnectionLost', message, now)
    this.#isSuspect = true
    return told
  }

  /** Not tried yet, because the device is away. What it did to its connection says more. */
  postpone(property: string, message: string): WriteResult | undefined {
    if (this.#state !== 'due' || this.#fulfilled || this.#isSuspect) return undefined
    return this.#tell(property, 'DeviceOffline', message)
  }

  /** Never tried again. */
  refuse(property: string, reason: string, message: string): WriteResult | undefined {
    this.#state = 'refused'
    return this.#tell(property, reason, message)
  }

  #tell(property: string, reason: string, message: string): WriteResult | undefined {
    const text = `${reason}: ${message}`
    if (this.#told === text) return undefined
    this.#told = text
    return { property, orderId: this.order.id, value: this.order.value, failure: { reason, message } }
  }
}
