import { Backoff, type Clock, type Duration, minutes, type Random, seconds } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'

/** One object on its way to a node. */
export interface OutboxItem {
  /** uid of the object: a newer item replaces an older one that has not been acknowledged. */
  readonly key: string
  readonly frame: Frame
  /** See Delivery.version; empty for a deletion. */
  readonly version: string
  readonly isDeletion: boolean
}

export interface OutboxOptions {
  /** Most unacknowledged items at a time: 1 towards original peers. */
  readonly window: number
  readonly clock: Clock
  readonly random: Random
  send(frame: Frame): void
  onAcknowledged(item: OutboxItem): void
}

interface Slot {
  /** Unix ms; when the object began to differ from what the node acknowledged, as far as this session knows. */
  readonly since: number
  item: OutboxItem
  /** Came while `item` was under way. */
  next: OutboxItem | undefined
  state: 'queued' | 'sent' | 'waiting'
  sends: number
  timer: Disposable | undefined
  readonly backoff: Backoff
}

const RESEND_AFTER: Duration = seconds(5)
/** Sends of one round; then the item gives its place in the window away and is queued again after a wait. */
const SENDS_PER_ROUND = 5

/** The acknowledged class of one session: at least once, latest version wins, never two of one object under way. */
export class Outbox implements Disposable {
  readonly #options: OutboxOptions
  readonly #slots = new Map<string, Slot>()
  /** Keys in the order in which they are to be sent. */
  readonly #queue = new Set<string>()
  readonly #sent = new Map<string, string>()
  #closed = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Items that wait or are under way. */
  get depth(): number {
    return this.#slots.size
  }

  get inFlight(): number {
    return this.#sent.size
  }

  /** Since when the oldest item waits, Unix ms. */
  get waitingSince(): number | undefined {
    // Slots are in the order of their making.
    const [oldest] = this.#slots.values()
    return oldest?.since
  }

  /** The newest version of the object that is queued or under way; undefined where there is none. */
  pending(key: string): OutboxItem | undefined {
    const slot = this.#slots.get(key)
    return slot?.next ?? slot?.item
  }

  put(item: OutboxItem): void {
    if (this.#closed) return
    const slot = this.#slots.get(item.key)
    if (!slot) {
      const backoff = new Backoff({ first: seconds(5), most: minutes(5) }, this.#options.random)
      const since = this.#options.clock.now()
      this.#slots.set(item.key, { since, item, next: undefined, state: 'queued', sends: 0, timer: undefined, backoff })
      this.#queue.add(item.key)
    } else if (slot.state === 'sent') {
      slot.next = item
    } else {
      this.#restart(slot, item)
    }
    this.#pump()
  }

  /** False when no such frame is under way: late and repeated receipts do no harm. */
  acknowledge(messageId: string): boolean {
    const key = this.#sent.get(messageId)
    const slot = key === undefined ? undefined : this.#slots.get(key)
    if (key === undefined || !slot) return false
    const { item, next } = slot
    this.#release(slot)
    this.#slots.delete(key)
    this.#options.onAcknowledged(item)
    if (next) this.put(next)
    this.#pump()
    return true
  }

  [Symbol.dispose](): void {
    this.#closed = true
    for (const slot of this.#slots.values()) slot.timer?.[Symbol.dispose]()
    this.#slots.clear()
    this.#queue.clear()
    this.#sent.clear()
  }

  #pump(): void {
    for (const key of this.#queue) {
      if (this.#closed || this.#sent.size >= this.#options.window) return
      this.#queue.delete(key)
      const slot = this.#slots.get(key)
      if (slot) this.#send(slot)
    }
  }

  #send(slot: Slot): void {
    slot.state = 'sent'
    slot.sends++
    this.#sent.set(slot.item.frame.header.msg_id, slot.item.key)
    slot.timer = this.#options.clock.after(RESEND_AFTER, () => this.#overdue(slot))
    this.#options.send(slot.item.frame)
  }

  #overdue(slot: Slot): void {
    const { next } = slot
    if (next) {
      this.#release(slot)
      this.#restart(slot, next)
    } else if (slot.sends % SENDS_PER_ROUND !== 0) {
      this.#send(slot)
    } else {
      this.#release(slot)
      slot.state = 'waiting'
      slot.timer = this.#options.clock.after(slot.backoff.next(), () => this.#restart(slot, slot.item))
    }
    this.#pump()
  }

  #restart(slot: Slot, item: OutboxItem): void {
    slot.timer?.[Symbol.dispose]()
    slot.timer = undefined
    if (item !== slot.item) slot.sends = 0
    slot.item = item
    slot.next = undefined
    slot.state = 'queued'
    this.#queue.add(item.key)
    this.#pump()
  }

  #release(slot: Slot): void {
    slot.timer?.[Symbol.dispose]()
    slot.timer = undefined
    this.#sent.delete(slot.item.frame.header.msg_id)
  }
}
