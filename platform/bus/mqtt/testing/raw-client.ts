import assert from 'node:assert/strict'
import { connect as connectSocket, type Socket } from 'node:net'
import { type Packet, parser } from 'mqtt-packet'
import { seconds, systemClock } from '../../../time/index.ts'
import { type ConnectFields, connect, disconnect, type PublishFields, pingreq, publish, subscribe } from './bytes.ts'

interface Cleanup {
  after(release: () => void): void
}

/** An MQTT client that does nothing by itself: sends bytes and says what comes. */
export class RawClient {
  readonly socket: Socket
  /** Settles when the broker has closed the connection. */
  readonly closed: Promise<void>
  /** Packet id of what `next` gave last. */
  lastId = 0
  readonly #packets: Packet[] = []
  readonly #waiting: ((packet: Packet | undefined) => void)[] = []
  #isClosed = false

  constructor(t: Cleanup, port: number) {
    this.socket = connectSocket({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('error', () => undefined)
    t.after(() => this.socket.destroy())
    const bytes = parser()
    bytes.on('packet', (packet) => {
      const next = this.#waiting.shift()
      if (next) next(packet)
      else this.#packets.push(packet)
    })
    this.socket.on('data', (chunk) => void bytes.parse(chunk))
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => {
        this.#isClosed = true
        for (const next of this.#waiting.splice(0)) next(undefined)
        resolve()
      })
    })
  }

  send(...packets: readonly Uint8Array[]): void {
    this.socket.write(Buffer.concat(packets))
  }

  /** The next packet in one line, `closed` at the end of the connection. */
  async next(): Promise<string> {
    const packet = this.#packets.shift() ?? (this.#isClosed ? undefined : await this.#arriving())
    this.lastId = packet?.messageId ?? this.lastId
    return packet ? lineOf(packet) : 'closed'
  }

  async take(count: number): Promise<readonly string[]> {
    const lines: string[] = []
    while (lines.length < count) lines.push(await this.next())
    return lines
  }

  /** All that has come before the broker answers a PINGREQ sent now. */
  async sofar(): Promise<readonly string[]> {
    this.send(pingreq)
    const lines: string[] = []
    for (let line = await this.next(); line !== 'pingresp'; line = await this.next()) {
      assert.notEqual(line, 'closed', `closed after ${lines}`)
      lines.push(line)
    }
    return lines
  }

  /** CONNECT and its answer. */
  async greet(fields: ConnectFields = {}): Promise<string> {
    this.send(connect(fields))
    return this.next()
  }

  async subscribe(...filters: readonly (readonly [filter: string, qos: number])[]): Promise<string> {
    this.send(subscribe(77, ...filters))
    return this.next()
  }

  publish(topic: string, payload: string | Uint8Array = '', fields: PublishFields = {}): void {
    this.send(publish(topic, payload, fields))
  }

  /** DISCONNECT, and the end of the connection. */
  async leave(): Promise<void> {
    this.send(disconnect)
    await this.closed
  }

  /** An end without DISCONNECT. */
  async drop(): Promise<void> {
    this.socket.destroy()
    await this.closed
  }

  #arriving(): Promise<Packet | undefined> {
    return new Promise((resolve, reject) => {
      const timer = systemClock.after(seconds(8), () => reject(new Error('no packet came')))
      this.#waiting.push((packet) => {
        timer[Symbol.dispose]()
        resolve(packet)
      })
    })
  }
}

/** `publish a/b hello qos1 dup retain id3`, `suback id77 0,1,128`, `connack 0 present`. */
function lineOf(packet: Packet): string {
  const id = packet.messageId === undefined ? '' : ` id${packet.messageId}`
  switch (packet.cmd) {
    case 'publish': {
      const flags = `${packet.dup ? ' dup' : ''}${packet.retain ? ' retain' : ''}`
      return `publish ${packet.topic} ${packet.payload} qos${packet.qos}${flags}`
    }
    case 'connack':
      return `connack ${packet.returnCode}${packet.sessionPresent ? ' present' : ''}`
    case 'suback':
      return `suback${id} ${packet.granted.join()}`
    default:
      return `${packet.cmd}${id}`
  }
}
