import { encodePublish, encodePubrel } from '../wire/encode.ts'

/** What several queues may hold together. */
export interface Message {
  readonly topic: string
  readonly payload: Buffer
  /** Of its row on disk. */
  readonly id: number
  /** Queues that hold it. */
  holders: number
}

/** A message on its way to one client at QoS 1 or 2. */
export interface Entry {
  /** Counts the messages of a session; the packet id follows from it, so that it survives with the queue. */
  readonly seq: number
  readonly message: Message
  readonly qos: 1 | 2
  readonly retain: boolean
  /** `writing` until it is on disk, `released` once the client has answered PUBREC. */
  state: 'writing' | 'ready' | 'released'
  wasSent: boolean
}

/** The client's end. */
export interface Sink {
  write(packet: Buffer): void
  /** It takes nothing more for now. */
  readonly isFull: boolean
  mayReceive(topic: string): boolean
}

export interface OutboxLimits {
  /** Messages that the client has not acknowledged. */
  readonly maxInflight: number
  /** Messages that wait behind them. */
  readonly maxQueued: number
  /** Of those that wait, and of those that are under way. */
  readonly maxQueuedBytes: number
}

/**
 * What one client has to get at QoS 1 and 2, in order (MQTT 3.1.1 §4.6): at most `maxInflight` unacknowledged, the others wait.
 * When too many wait, the oldest that was never sent goes: the newest state is what counts.
 */
export class Outbox {
  readonly #limits: OutboxLimits
  /** Both by packet id, in order. */
  #flying = new Map<number, Entry>()
  #waiting = new Map<number, Entry>()
  #waitingBytes = 0
  #flyingBytes = 0
  #seq = 0

  constructor(limits: OutboxLimits) {
    this.#limits = limits
  }

  get waiting(): number {
    return this.#waiting.size
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#flying.size === 0
  }

  /** Of the message that was sent last. */
  get sentSeq(): number {
    let sent = 0
    for (const { seq } of this.#flying.values()) sent = Math.max(sent, seq)
    for (const { seq, wasSent } of this.#waiting.values()) if (wasSent) sent = Math.max(sent, seq)
    return sent
  }

  /** So much waits that who publishes should wait too. The rest is for what publishers have under way by then. */
  get isLong(): boolean {
    return this.#waiting.size * 4 >= this.#limits.maxQueued || this.#waitingBytes * 2 >= this.#limits.maxQueuedBytes
  }

  /** `dropped` are those that had to make room. */
  add(message: Message, qos: 1 | 2, retain: boolean, state: 'writing' | 'ready'): { entry: Entry; dropped: Entry[] } {
    const dropped: Entry[] = []
    const bytes = sizeOf(message)
    while (this.#waiting.size >= this.#limits.maxQueued || this.#isTooLarge(bytes)) {
      const oldest = this.#droppable()
      if (!oldest) break
      this.remove(oldest)
      dropped.push(oldest)
    }
    do this.#seq++
    while (this.#flying.has(packetIdOf(this.#seq)) || this.#waiting.has(packetIdOf(this.#seq)))
    const entry: Entry = { seq: this.#seq, message, qos, retain, state, wasSent: false }
    this.#put(entry)
    return { entry, dropped }
  }

  /** What was found on disk, in order. */
  restore(entry: Entry): void {
    this.#seq = Math.max(this.#seq, entry.seq)
    this.#put(entry)
  }

  remove(entry: Entry): void {
    const id = packetIdOf(entry.seq)
    if (this.#waiting.get(id) === entry) {
      this.#waiting.delete(id)
      this.#waitingBytes -= sizeOf(entry.message)
    } else if (this.#flying.get(id) === entry) this.#land(id, entry)
  }

  /** PUBACK or PUBCOMP: the message is done. */
  acknowledge(packetId: number, qos: 1 | 2): Entry | undefined {
    const entry = this.#flying.get(packetId)
    if (entry?.qos !== qos) return undefined
    this.#land(packetId, entry)
    return entry
  }

  /** PUBREC: the message is with the client, its packet id not yet free. */
  release(packetId: number): Entry | undefined {
    const entry = this.#flying.get(packetId)
    if (entry?.qos !== 2) return undefined
    entry.state = 'released'
    return entry
  }

  /** Sends what may be sent. Returns what this client may not receive, which is dropped. */
  pump(sink: Sink): readonly Entry[] {
    const refused: Entry[] = []
    for (const [id, entry] of this.#waiting) {
      if (entry.state === 'writing' || !this.#mayFly || sink.isFull) break
      this.remove(entry)
      const { message, qos, retain, wasSent } = entry
      if (entry.state === 'released') sink.write(encodePubrel(id))
      else if (sink.mayReceive(message.topic)) {
        const { topic, payload } = message
        sink.write(encodePublish({ topic, payload, qos, retain, isRepeated: wasSent, packetId: id }))
      } else {
        refused.push(entry)
        continue
      }
      entry.wasSent = true
      this.#flying.set(id, entry)
      this.#flyingBytes += sizeOf(message)
    }
    return refused
  }

  /** The connection is gone: what was under way goes first on the next one (§4.4). */
  rewind(): void {
    const waiting = [...this.#flying.values(), ...this.#waiting.values()]
    this.#flying = new Map()
    this.#flyingBytes = 0
    this.#waiting = new Map()
    this.#waitingBytes = 0
    for (const entry of waiting) this.#put(entry)
  }

  clear(): readonly Entry[] {
    const all = [...this.#flying.values(), ...this.#waiting.values()]
    this.#flying = new Map()
    this.#flyingBytes = 0
    this.#waiting = new Map()
    this.#waitingBytes = 0
    return all
  }

  get #mayFly(): boolean {
    return this.#flying.size < this.#limits.maxInflight && this.#flyingBytes < this.#limits.maxQueuedBytes
  }

  #land(id: number, entry: Entry): void {
    this.#flying.delete(id)
    this.#flyingBytes -= sizeOf(entry.message)
  }

  #put(entry: Entry): void {
    this.#waiting.set(packetIdOf(entry.seq), entry)
    this.#waitingBytes += sizeOf(entry.message)
  }

  #isTooLarge(bytes: number): boolean {
    return this.#waitingBytes > 0 && this.#waitingBytes + bytes > this.#limits.maxQueuedBytes
  }

  #droppable(): Entry | undefined {
    // At most `maxInflight` were sent, and they are at the beginning.
    for (const entry of this.#waiting.values()) if (!entry.wasSent) return entry
    return undefined
  }
}

/** 1 to 65535. */
function packetIdOf(seq: number): number {
  return ((seq - 1) % 65_535) + 1
}

function sizeOf({ topic, payload }: Message): number {
  return topic.length + payload.length + 64
}
