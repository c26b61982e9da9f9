import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { isAnswerTo, withChecksum } from './rtu-frame.ts'

/** Transaction, protocol and length stand before unit and PDU. Modbus messaging on TCP/IP V1.0b, 3.1.3. */
const HEADER = 6
/** Unit, function and one byte more. */
const LEAST = 3
/** Unit and the longest PDU. */
const MOST = 254

/**
 * Modbus TCP on a stream, as a port of the client library. The library's own has 256 transactions, so that a late answer can meet
 * a new request of its number; it takes whatever has that number, and waits for the end of what is no Modbus at all.
 */
export class TcpPort extends EventEmitter {
  readonly #stream: Duplex
  /** Unit, PDU and checksum of the request under way, as the library gives it. */
  #request: Uint8Array | undefined
  #transaction = 0
  #received: Uint8Array = new Uint8Array(0)
  isOpen = true
  /** Called when what has the number of the request is no answer to it. */
  onWrongAnswer: (reason: string) => void = () => undefined
  /** Called when what comes is no Modbus TCP, so that nothing that follows can be understood. */
  onNonsense: () => void = () => undefined

  constructor(stream: Duplex) {
    super()
    this.#stream = stream
    stream.on('data', (data: Uint8Array) => this.#take(data))
  }

  open(callback: () => void): void {
    callback()
  }

  close(callback: () => void): void {
    this.isOpen = false
    this.removeAllListeners('data')
    callback()
  }

  /** Sends a frame; the answer to it, and nothing else, is emitted as `data`. */
  write(frame: Uint8Array): void {
    this.#request = frame
    this.#transaction = (this.#transaction + 1) & 0xffff
    const length = frame.length - 2
    const message = new Uint8Array(HEADER + length)
    message.set([this.#transaction >> 8, this.#transaction & 0xff, 0, 0, length >> 8, length & 0xff])
    message.set(frame.subarray(0, length), HEADER)
    this.#stream.write(message)
  }

  /** Nobody waits any longer. */
  giveUp(): void {
    this.#request = undefined
  }

  #take(data: Uint8Array): void {
    if (!this.isOpen) return
    let rest = this.#received.length === 0 ? data : Buffer.concat([this.#received, data])
    while (rest.length >= HEADER) {
      const length = word(rest, 4)
      if (word(rest, 2) !== 0 || length < LEAST || length > MOST) {
        this.#giveUpStream()
        return
      }
      if (rest.length < HEADER + length) break
      this.#takeMessage(word(rest, 0), rest.subarray(HEADER, HEADER + length))
      rest = rest.subarray(HEADER + length)
    }
    this.#received = rest
  }

  #takeMessage(transaction: number, answer: Uint8Array): void {
    const request = this.#request
    // A late answer has the number of a request that nobody waits for.
    if (!request || transaction !== this.#transaction) return
    this.#request = undefined
    if (isAnswerTo(request, answer)) this.emit('data', withChecksum(answer))
    else this.onWrongAnswer(wrong(request, answer))
  }

  #giveUpStream(): void {
    this.isOpen = false
    this.#received = new Uint8Array(0)
    this.onNonsense()
  }
}

function wrong(request: Uint8Array, answer: Uint8Array): string {
  if (answer[0] !== request[0]) return `unit ${answer[0]} answered in place of unit ${request[0]}`
  if (((answer[1] ?? 0) & 0x7f) !== request[1]) return `function ${answer[1]} was answered in place of ${request[1]}`
  return `the answer to function ${request[1]} has not the length or the contents that were asked for`
}

function word(bytes: Uint8Array, at: number): number {
  return ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
}
