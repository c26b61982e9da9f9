import { Backoff, type Clock, type Duration, minutes, ms, type Random, seconds } from '../../../platform/time/index.ts'
import type { Frame, KubeObject } from '../../../schemas/index.ts'

/** One object on its way to a node. */
export interface OutboxItem {
  /** uid of the object: a newer item replaces an older one that has not been acknowledged. */
  readonly key: string
  readonly object: KubeObject
  readonly resource: string
  /** See Delivery.version; empty for a deletion. */
  readonly version: string
  readonly isDeletion: boolean
  /** See NodeSource. */
  readonly isUnrecorded: boolean
  /** Called once, before the first send, so that what waits costs little. */
  make(): Frame
}

export interface OutboxOptions {
  /** Most unacknowledged items at a time: 1 towards original peers. */
  readonly window: number
  readonly clock: Clock
  readonly random: Random
  /** Settles when the socket took the frame, never rejects; only from then on its receipt is overdue. */
  send(frame: Frame): Promise<void> | void
  /** `took`: since the item was first sent. `next` is sent now: it came while the item was under way. */
  onAcknowledged(item: OutboxItem, took: Duration, next: OutboxItem | undefined): void
  /** The node said that it cannot take the item; it is sent again after a growing wait. */
  onRefused?(item: OutboxItem, reason: string): void
  /** There are fewer active items than before. */
  onRoom?(): void
}

interface Slot {
  /** Unix ms; when the object began to differ from what the node acknowledged, as far as this session knows. */
  readonly since: number
  item: OutboxItem
  /** Of `item`, once it was sent. */
  frame: Frame | undefined
  /** Monotonic ms. */
  sentAt: number
  /** Came while `item` was under way. */
  next: OutboxItem | undefined
  /** Some form of the object was sent, perhaps one that was overtaken since. */
  isUncertain: boolean
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
  /** By the id of the frame: those under way, and those that wait for their next round, whose receipt may be late. */
  readonly #byId = new Map<string, Slot>()
  #inFlight = 0
  #closed = false

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Items that are not acknowledged. */
  get depth(): number {
    return this.#slots.size
  }

  /** Those of them that are queued or under way, without those that wait for their next round. */
  get active(): number {
    return this.#queue.size + this.#inFlight
  }

  get inFlight(): number {
    return this.#inFlight
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

  /** Those of which something was sent that may have reached the node. */
  uncertain(): readonly OutboxItem[] {
    return [...this.#slots.values()].filter(({ isUncertain }) => isUncertain).map(({ item }) => item)
  }

  /** The newest of each object of a kind without records. */
  unrecorded(): readonly OutboxItem[] {
    return [...this.#slots.values()].map(({ item, next }) => next ?? item).filter((each) => each.isUnrecorded)
  }

  put(item: OutboxItem): void {
    if (this.#closed) return
    const slot = this.#slots.get(item.key)
    if (!slot) this.#add(item)
    else if (slot.state === 'sent') slot.next = item
    else this.#restart(slot, item)
    this.#pump()
  }

  /** False when no such frame is known: late receipts of what was overtaken, and repeated ones, do no harm. */
  acknowledge(messageId: string): boolean {
    const slot = this.#byId.get(messageId)
    if (!slot) return false
    const { item, next, sentAt } = slot
    this.#release(slot)
    this.#queue.delete(item.key)
    this.#slots.delete(item.key)
    this.#options.onAcknowledged(item, ms(this.#options.clock.monotonic() - sentAt), next)
    if (next) this.put(next)
    this.#pump()
    this.#options.onRoom?.()
    return true
  }

  /**
   * The node said `error` to a frame: no receipt, but sending the same at once would not help, and its place in the window is
   * for others. Where the answer names no frame, the resource under way is meant.
   */
  refuse(messageId: string | undefined, resource: string | undefined, reason: string): boolean {
    const slot = messageId === undefined ? this.#underWay(resource) : this.#byId.get(messageId)
    if (slot?.state !== 'sent') return false
    this.#options.onRefused?.(slot.item, reason)
    if (slot.next) this.#restart(slot, slot.next)
    else this.#wait(slot)
    this.#pump()
    return true
  }

  [Symbol.dispose](): void {
    this.#closed = true
    for (const slot of this.#slots.values()) slot.timer?.[Symbol.dispose]()
    this.#slots.clear()
    this.#queue.clear()
    this.#byId.clear()
    this.#inFlight = 0
  }

  #add(item: OutboxItem): void {
    const { clock, random } = this.#options
    const backoff = new Backoff({ first: seconds(5), most: minutes(5) }, random)
    const fresh = { frame: undefined, sentAt: 0, next: undefined, isUncertain: false, sends: 0, timer: undefined }
    this.#slots.set(item.key, { since: clock.now(), item, ...fresh, state: 'queued', backoff })
    this.#queue.add(item.key)
  }

  #underWay(resource: string | undefined): Slot | undefined {
    for (const slot of this.#byId.values()) {
      if (slot.state === 'sent' && slot.item.resource === resource) return slot
    }
    return undefined
  }

  #pump(): void {
    for (const key of this.#queue) {
      if (this.#closed || this.#inFlight >= this.#options.window) return
      this.#queue.delete(key)
      const slot = this.#slots.get(key)
      if (!slot) continue
      slot.state = 'sent'
      this.#inFlight++
      this.#send(slot)
    }
  }

  #send(slot: Slot): void {
    const { clock, send } = this.#options
    if (!slot.frame) {
      slot.frame = slot.item.make()
      slot.sentAt = clock.monotonic()
      this.#byId.set(slot.frame.header.msg_id, slot)
    }
    slot.sends++
    slot.isUncertain = true
    const { frame, sends } = slot
    const arm = () => {
      // It may have been acknowledged, overtaken or given up meanwhile.
      if (slot.state !== 'sent' || slot.frame !== frame || slot.sends !== sends || slot.timer) return
      if (this.#byId.get(frame.header.msg_id) === slot) {
        slot.timer = clock.after(RESEND_AFTER, () => this.#overdue(slot))
      }
    }
    const sending = send(frame)
    if (sending) void sending.then(arm)
    else arm()
  }

  #overdue(slot: Slot): void {
    slot.timer = undefined
    if (slot.next) this.#restart(slot, slot.next)
    else if (slot.sends % SENDS_PER_ROUND !== 0) this.#send(slot)
    else this.#wait(slot)
    this.#pump()
  }

  /** Gives its place in the window away. A receipt that still comes is taken. */
  #wait(slot: Slot): void {
    slot.timer?.[Symbol.dispose]()
    slot.timer = undefined
    this.#inFlight--
    slot.state = 'waiting'
    slot.sends = 0
    slot.timer = this.#options.clock.after(slot.backoff.next(), () => {
      this.#restart(slot, slot.item)
      this.#pump()
    })
    this.#options.onRoom?.()
  }

  #restart(slot: Slot, item: OutboxItem): void {
    if (item === slot.item) {
      if (slot.state === 'sent') this.#inFlight--
      slot.timer?.[Symbol.dispose]()
    } else {
      this.#release(slot)
      slot.item = item
      slot.frame = undefined
      slot.sends = 0
    }
    slot.timer = undefined
    slot.next = undefined
    slot.state = 'queued'
    this.#queue.add(item.key)
  }

  #release(slot: Slot): void {
    if (slot.state === 'sent') this.#inFlight--
    slot.timer?.[Symbol.dispose]()
    slot.timer = undefined
    if (slot.frame) this.#byId.delete(slot.frame.header.msg_id)
  }
}
