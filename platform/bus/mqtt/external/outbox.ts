import type { Counter } from '../../../health/metrics.ts'
import { UnavailableError } from '../../../lifecycle/errors.ts'
import { type Clock, ms, seconds } from '../../../time/index.ts'
import type { BrokerConnection, Outgoing } from './connection.ts'

/** Longer than a reconnect takes. */
const WAIT = seconds(10)
/** A broker that gives no receipt for so long has stalled. */
const RECEIPT_DEADLINE = seconds(10)
const MAX_IN_FLIGHT = 100
const MAX_WAITING = 1000
const MAX_WAITING_BYTES = 4 * 1024 * 1024

interface Entry {
  readonly message: Outgoing
  readonly bytes: number
  /** On the monotonic clock. */
  deadlineMs: number
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/**
 * Messages on their way to the broker, in their order. They wait through a reconnect, but not for long, and not many of them.
 * What was sent and has no receipt when the connection ends has failed; it is not sent again.
 */
export class Outbox {
  readonly #clock: Clock
  readonly #unsent: Counter
  readonly #waiting: Entry[] = []
  readonly #inFlight = new Set<Entry>()
  readonly #onIdle: (() => void)[] = []
  #waitingBytes = 0
  #connection: BrokerConnection | undefined
  #timer: Disposable | undefined
  #isOpen = false

  /** `unsent` has the label `reason`. */
  constructor(clock: Clock, unsent: Counter) {
    this.#clock = clock
    this.#unsent = unsent
  }

  get waiting(): number {
    return this.#waiting.length + this.#inFlight.size
  }

  /** Fulfils with the receipt. */
  publish(message: Outgoing): Promise<void> {
    const bytes = message.topic.length + message.payload.length
    if (!this.#isOpen) return Promise.reject(closed())
    if (this.#waiting.length >= MAX_WAITING || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#unsent.add(1, { reason: 'full' })
      return Promise.reject(overloaded())
    }
    return new Promise((resolve, reject) => {
      const deadlineMs = this.#clock.monotonic() + WAIT.milliseconds
      this.#waiting.push({ message, bytes, deadlineMs, resolve, reject })
      this.#waitingBytes += bytes
      this.#send()
      this.#watch()
    })
  }

  /** Settles when every message has its receipt or has failed. */
  idle(): Promise<void> {
    return this.waiting === 0 ? Promise.resolve() : new Promise((resolve) => this.#onIdle.push(resolve))
  }

  /** Messages are accepted from now on, until `close`. */
  open(): void {
    this.#isOpen = true
  }

  connected(connection: BrokerConnection): void {
    this.#connection = connection
    this.#send()
  }

  disconnected(): void {
    this.#connection = undefined
    for (const entry of this.#inFlight) this.#fail(entry, 'lost')
    this.#inFlight.clear()
  }

  /** Fails what waits. */
  close(): void {
    this.#isOpen = false
    this.disconnected()
    for (const entry of this.#waiting.splice(0)) this.#fail(entry, 'closed')
    this.#waitingBytes = 0
    this.#tellIdle()
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
  }

  #send(): void {
    const connection = this.#connection
    while (connection && this.#inFlight.size < MAX_IN_FLIGHT) {
      const entry = this.#next()
      if (!entry) return
      entry.deadlineMs = this.#clock.monotonic() + RECEIPT_DEADLINE.milliseconds
      this.#inFlight.add(entry)
      connection.publish(entry.message, () => {
        if (!this.#inFlight.delete(entry)) return
        entry.resolve()
        this.#send()
        this.#tellIdle()
      })
    }
  }

  #tellIdle(): void {
    if (this.waiting === 0) for (const tell of this.#onIdle.splice(0)) tell()
  }

  #next(): Entry | undefined {
    const entry = this.#waiting.shift()
    if (entry) this.#waitingBytes -= entry.bytes
    return entry
  }

  #fail(entry: Entry, reason: string): void {
    this.#unsent.add(1, { reason })
    entry.reject(unreachable(reason))
  }

  /** In both lists the first is due first. */
  #watch(): void {
    if (this.#timer) return
    const [waiting] = this.#waiting
    const [sent] = this.#inFlight
    if (!waiting && !sent) return
    const dueMs = Math.min(waiting?.deadlineMs ?? Infinity, sent?.deadlineMs ?? Infinity)
    this.#timer = this.#clock.after(ms(Math.max(0, dueMs - this.#clock.monotonic())), () => {
      this.#timer = undefined
      this.#expire(this.#clock.monotonic())
      this.#watch()
    })
  }

  #expire(nowMs: number): void {
    const [sent] = this.#inFlight
    if (sent && sent.deadlineMs <= nowMs) {
      this.#connection?.abort(`it gave no receipt within ${RECEIPT_DEADLINE.milliseconds / 1000} s`)
      this.disconnected()
    }
    for (let [head] = this.#waiting; head && head.deadlineMs <= nowMs; [head] = this.#waiting) {
      this.#next()
      this.#fail(head, 'late')
    }
  }
}

function closed(): UnavailableError {
  return new UnavailableError('The MQTT broker is not running', { code: 'PLATFORM_MQTT_CLOSED' })
}

function overloaded(): UnavailableError {
  return new UnavailableError('Too many messages wait for the MQTT broker', { code: 'PLATFORM_MQTT_OVERLOADED' })
}

/** `reason`: `lost` without a receipt, `late` for it, or `closed`. */
function unreachable(reason: string): UnavailableError {
  return new UnavailableError('The MQTT broker could not be reached in time', {
    code: 'PLATFORM_MQTT_UNREACHABLE',
    fields: { reason },
  })
}
