import { isUtf8 } from 'node:buffer'

/** What is wrong with a packet of a client. With a return code the client is told by CONNACK before the connection is closed. */
export interface Violation {
  readonly reason: string
  readonly returnCode?: 1 | 2
}

const CONNECT = 1
const PUBLISH = 3
const SUBSCRIBE = 8
const UNSUBSCRIBE = 10
/** In one packet. Each is judged and may be written: a packet full of them would hold everybody up. */
const MAX_FILTERS = 10_000

/** Flags of the fixed header by packet type (MQTT 3.1.1 §2.2.2); PUBLISH has its own. Clients send no other types. */
const FLAGS: ReadonlyMap<number, number> = new Map([
  [CONNECT, 0],
  ...[4, 5, 7, 12, 14].map((type) => [type, 0] as const),
  ...[6, SUBSCRIBE, UNSUBSCRIBE].map((type) => [type, 2] as const),
])
/** Acknowledgements are a packet id and nothing else, PINGREQ and DISCONNECT are nothing. */
const LENGTHS: ReadonlyMap<number, number> = new Map([
  ...[4, 5, 6, 7].map((type) => [type, 2] as const),
  ...[12, 14].map((type) => [type, 0] as const),
])

/**
 * What MQTT 3.1.1 forbids in a whole packet of a client and the broker's parser lets pass, or nothing. `start` is where the
 * variable header begins.
 */
export function checkPacket(packet: Buffer, start: number): Violation | undefined {
  const first = packet[0] ?? 0
  const type = first >> 4
  const reader = new Reader(packet, start)
  try {
    if (type === PUBLISH) checkPublish(reader, first & 15)
    else {
      if (FLAGS.get(type) !== (first & 15)) throw new Malformed('unknown type or flags')
      const length = LENGTHS.get(type)
      if (length !== undefined && packet.length - start !== length) throw new Malformed('wrong length')
      if (length === 2) reader.packetId()
      if (type === CONNECT) return checkConnect(reader)
      if (type === SUBSCRIBE || type === UNSUBSCRIBE) checkFilters(reader, type === SUBSCRIBE)
    }
    return undefined
  } catch (error) {
    if (error instanceof Malformed) return { reason: error.message }
    throw error
  }
}

/** Whether a topic filter is one (§4.7.1). */
export function isTopicFilter(filter: string): boolean {
  const levels = filter.split('/')
  return (
    filter !== '' &&
    levels.every((level, index) => {
      if (level.includes('#')) return level === '#' && index === levels.length - 1
      return !level.includes('+') || level === '+'
    })
  )
}

/** The subscriptions of a sound SUBSCRIBE packet. */
export function subscriptionsOf(packet: Buffer, start: number): readonly (readonly [filter: string, qos: number])[] {
  const reader = new Reader(packet, start)
  reader.packetId()
  const found: (readonly [string, number])[] = []
  while (!reader.isAtEnd) found.push([reader.text('filter'), reader.byte()])
  return found
}

function checkPublish(reader: Reader, flags: number): void {
  const qos = (flags >> 1) & 3
  if (qos === 3) throw new Malformed('QoS 3')
  if (qos === 0 && flags & 8) throw new Malformed('DUP at QoS 0')
  checkTopic(reader.text('topic'))
  if (qos > 0) reader.packetId()
}

function checkConnect(reader: Reader): Violation | undefined {
  const name = reader.text('protocol name')
  if (name !== 'MQTT' && name !== 'MQIsdp') throw new Malformed('protocol name')
  // Bridges set the highest bit of the level.
  const level = reader.byte() & 0x7f
  if (level !== (name === 'MQTT' ? 4 : 3)) return { reason: 'protocol level', returnCode: 1 }
  const flags = reader.byte()
  if (flags & 1) throw new Malformed('reserved connect flag')
  const isClean = (flags & 2) !== 0
  const hasWill = (flags & 4) !== 0
  if (!hasWill && flags & 0x38) throw new Malformed('will flags without a will')
  if ((flags & 0x18) === 0x18) throw new Malformed('QoS 3 of the will')
  if ((flags & 0xc0) === 0x40) throw new Malformed('password without a user name')
  reader.number()
  const clientId = reader.text('client id')
  if (hasWill) {
    checkTopic(reader.text('topic of the will'))
    reader.bytes()
  }
  if (flags & 0x80) reader.text('user name')
  if (flags & 0x40) reader.bytes()
  if (!reader.isAtEnd) throw new Malformed('more than the flags announce')
  if (clientId === '' && !isClean) return { reason: 'a session without a client id', returnCode: 2 }
  return undefined
}

function checkFilters(reader: Reader, hasQos: boolean): void {
  reader.packetId()
  if (reader.isAtEnd) throw new Malformed('no topic filter')
  for (let count = 1; !reader.isAtEnd; count++) {
    if (count > MAX_FILTERS) throw new Malformed('too many topic filters')
    if (!isTopicFilter(reader.text('topic filter'))) throw new Malformed('topic filter')
    if (hasQos && reader.byte() > 2) throw new Malformed('requested QoS')
  }
}

function checkTopic(topic: string): void {
  if (topic === '' || topic.includes('+') || topic.includes('#')) throw new Malformed('topic name')
}

class Malformed extends Error {}

class Reader {
  readonly #packet: Buffer
  #at: number

  constructor(packet: Buffer, at: number) {
    this.#packet = packet
    this.#at = at
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#packet.length
  }

  byte(): number {
    const value = this.#packet[this.#at++]
    if (value === undefined) throw new Malformed('too short')
    return value
  }

  number(): number {
    return this.byte() * 256 + this.byte()
  }

  packetId(): number {
    const id = this.number()
    if (id === 0) throw new Malformed('packet id 0')
    return id
  }

  bytes(): Buffer {
    const length = this.number()
    const end = this.#at + length
    if (end > this.#packet.length) throw new Malformed('too short')
    const found = this.#packet.subarray(this.#at, end)
    this.#at = end
    return found
  }

  /** §1.5.3: well-formed UTF-8, which excludes surrogates, without U+0000. */
  text(what: string): string {
    const bytes = this.bytes()
    if (!isUtf8(bytes) || bytes.includes(0)) throw new Malformed(`${what} is not text`)
    return bytes.toString()
  }
}
