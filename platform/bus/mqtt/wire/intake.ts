import type { Duplex } from 'node:stream'
import { checkPacket, subscriptionsOf, type Violation } from './check-packet.ts'
import { encodeRefusal, encodeSubscribe } from './encode.ts'

export interface IntakeOptions {
  /** Of a packet without its fixed header. */
  readonly maxPacketBytes: number
  /** Messages of this client that are worked on at once. */
  readonly maxInHand: number
  /** The connection is being closed, for its packet is too large or breaks the protocol. */
  readonly onRefused: (reason: 'packet' | 'protocol', detail: string) => void
}

const CONNECT = 1
const PUBLISH = 3
const SUBSCRIBE = 8
/** So many packets are handed over in one turn of the event loop: a client that floods takes turns with the others. */
const MAX_PACKETS_PER_TURN = 64
/** Bytes of messages of one client that are worked on; one may be larger, alone. */
const MAX_BYTES_IN_HAND = 4 * 1024 * 1024
/** A filter that is asked for twice in one packet: the later one counts, and this stands for the earlier. */
export const SUPERSEDED = '$skerry/superseded/'

/**
 * Stands between a socket and the broker, which pulls. Hands over whole and sound packets alone, a few at a time, and reads on
 * only while few messages of the client are worked on; what the socket has beyond that stays in its own bounded buffer. The
 * first packet goes alone, and nothing follows before `opened`.
 */
export class Intake {
  readonly #socket: Duplex
  readonly #options: IntakeOptions
  readonly #pull: (size?: number) => unknown
  /** The beginning of a packet that is not whole. */
  #chunks: Buffer[] = []
  #have = 0
  #need = 0
  /** Sizes of the messages that are worked on. They are done in their order. */
  readonly #inHand: number[] = []
  #bytesInHand = 0
  #state: 'new' | 'connecting' | 'open' | 'closed' = 'new'
  #isScheduled = false
  #isAsked = false

  constructor(socket: Duplex, options: IntakeOptions) {
    this.#socket = socket
    this.#options = options
    this.#pull = socket.read.bind(socket)
    // Node.js itself asks for 0 bytes, to have more fetched; what that returned would be lost.
    socket.read = (size?: number) => (size === 0 ? this.#pull(0) : this.#read())
  }

  /** The broker has answered the CONNECT. */
  opened(): void {
    if (this.#state !== 'connecting') return
    this.#state = 'open'
    this.#isAsked = true
    this.#schedule()
  }

  /** One message that was handed over is done. */
  settled(): void {
    this.#bytesInHand -= this.#inHand.shift() ?? 0
    if (this.#isAsked && this.#hasRoom) this.#schedule()
  }

  get #hasRoom(): boolean {
    return this.#inHand.length < this.#options.maxInHand && this.#bytesInHand < MAX_BYTES_IN_HAND
  }

  #read(): Buffer | null {
    if (this.#isScheduled || this.#state === 'connecting' || !this.#hasRoom) {
      this.#isAsked = true
      return null
    }
    if (this.#state === 'closed') return null
    this.#isAsked = false
    const chunk = this.#pull()
    if (!(chunk instanceof Uint8Array) || chunk.length === 0) return null
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
    this.#have += chunk.length
    if (this.#have < this.#need) return null
    const [only] = this.#chunks
    const all = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks)
    return this.#take(all)
  }

  /** Takes the whole packets at the beginning that there is room for; the socket gets back what there is none for. */
  #take(all: Buffer): Buffer | null {
    const parts: Buffer[] = []
    let at = 0
    let isFull = false
    this.#need = 0
    while (at < all.length && !isFull) {
      const frame = frameAt(all, at)
      if (frame === 'malformed') return this.#refuse('protocol', { reason: 'remaining length' })
      if (!frame) break
      if (frame.length > this.#options.maxPacketBytes) return this.#refuse('packet', { reason: 'too large' })
      const end = frame.start + frame.length
      if (end > all.length) {
        this.#need = end - at
        break
      }
      const packet = all.subarray(at, end)
      const violation = checkPacket(packet, frame.start - at)
      if (violation) return this.#refuse('protocol', violation)
      const type = (packet[0] ?? 0) >> 4
      if (this.#state === 'new' && type !== CONNECT) return this.#refuse('protocol', { reason: 'no CONNECT' })
      parts.push(type === SUBSCRIBE ? withoutTwins(packet, frame.start - at) : packet)
      if (type === PUBLISH) {
        this.#inHand.push(packet.length)
        this.#bytesInHand += packet.length
      }
      if (type === CONNECT && this.#state === 'new') this.#state = 'connecting'
      at = end
      isFull = parts.length >= MAX_PACKETS_PER_TURN || !this.#hasRoom || this.#state === 'connecting'
    }
    this.#keep(all.subarray(at), isFull)
    if (parts.length === 0) return null
    this.#schedule()
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
  }

  #keep(rest: Buffer, isFull: boolean): void {
    const isBack = isFull && rest.length > 0
    // Only what follows whole packets goes back, so that a large packet is not read over and over.
    if (isBack) this.#socket.unshift(rest)
    this.#chunks = isBack || rest.length === 0 ? [] : [rest]
    this.#have = isBack ? 0 : rest.length
    if (isBack) this.#isAsked = true
  }

  /** The broker listens to `readable`, and pulls; not before the others had their turn. */
  #schedule(): void {
    if (this.#isScheduled) return
    this.#isScheduled = true
    setImmediate(() => {
      this.#isScheduled = false
      if (this.#isAsked && this.#state === 'open' && !this.#socket.destroyed) this.#socket.emit('readable')
    })
  }

  #refuse(reason: 'packet' | 'protocol', { reason: detail, returnCode }: Violation): null {
    this.#state = 'closed'
    this.#chunks = []
    this.#options.onRefused(reason, detail)
    const socket = this.#socket
    if (returnCode === undefined) socket.destroy()
    else socket.end(encodeRefusal(returnCode), () => socket.destroy())
    return null
  }
}

interface Frame {
  /** Where the variable header begins. */
  readonly start: number
  readonly length: number
}

/** MQTT 3.1.1 §2.2.3; nothing while the fixed header is not whole. */
function frameAt(bytes: Buffer, at: number): Frame | 'malformed' | undefined {
  let length = 0
  for (let digit = 0; digit < 4; digit++) {
    const byte = bytes[at + 1 + digit]
    if (byte === undefined) return undefined
    length += (byte & 127) * 128 ** digit
    if (byte < 128) return { start: at + 2 + digit, length }
  }
  return 'malformed'
}

/** The broker answers for each filter once; MQTT 3.1.1 §3.9.3 wants an answer for each place in the list. */
function withoutTwins(packet: Buffer, start: number): Buffer {
  const subscriptions = subscriptionsOf(packet, start)
  const last = new Map(subscriptions.map(([filter], index) => [filter, index]))
  if (last.size === subscriptions.length) return packet
  const unique = subscriptions.map(([filter, qos], index) => {
    return [last.get(filter) === index ? filter : `${SUPERSEDED}${index}`, qos] as const
  })
  return encodeSubscribe(packet.readUInt16BE(start), unique)
}
