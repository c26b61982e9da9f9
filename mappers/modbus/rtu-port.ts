import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { MapperContext } from '../contract/index.ts'
import { NoAnswer } from './exception.ts'
import { findAnswer } from './rtu-frame.ts'

/** More than the longest frame (256 bytes) and what may stand before it. */
const MOST_BYTES = 600
/** A line that is never quiet for so many silences is not waited for any longer. */
const MOST_SILENCES = 200

/**
 * RTU frames on a stream of bytes, as a port of the client library. The library's own takes bytes of an older answer for the
 * next one, knows no silence between frames, and neither functions 22 and 23 nor the end of what it buffers; see decision 0013.
 */
export class RtuPort extends EventEmitter {
  readonly #stream: Duplex
  readonly #clock: Pick<MapperContext['clock'], 'sleep'>
  readonly #signal: AbortSignal
  readonly #silenceMs: number
  #request: Uint8Array | undefined
  #received: Uint8Array = new Uint8Array(0)
  /** Settles when the line has been quiet long enough after the last answer. */
  #quiet: Promise<void> | undefined
  /** Bytes that came without being part of an answer. */
  #strays = 0
  /** Not even before the first request is it known that the line is quiet. */
  #straysSeen = -1
  isOpen = true
  /** Called when so many bytes came that they should have been the answer, and are not. */
  onGarbage: () => void = () => undefined

  /** Waits no more once the signal aborts. `silenceMs` 0: frames follow each other at once. */
  constructor(stream: Duplex, clock: Pick<MapperContext['clock'], 'sleep'>, silenceMs: number, signal: AbortSignal) {
    super()
    this.#stream = stream
    this.#clock = clock
    this.#signal = signal
    // Bytes reach us later than they were on the line, so the timer may be a little early.
    this.#silenceMs = Math.ceil(silenceMs - 0.25)
    stream.on('data', (data: Uint8Array) => this.#take(data))
  }

  /** Bytes came since the last request that are no answer to it. */
  get hasGarbage(): boolean {
    return this.#received.length > 0
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
    this.#received = new Uint8Array(0)
    this.#stream.write(frame)
  }

  /** Nobody waits any longer: what still comes is stray. */
  giveUp(): void {
    this.#request = undefined
    this.#strays += this.#received.length
    this.#received = new Uint8Array(0)
    this.#quiet = undefined
    this.#straysSeen = -1
  }

  /** Settles when the line has been silent for t3.5, so that a request may begin. */
  async ready(): Promise<void> {
    const quiet = this.#quiet
    this.#quiet = undefined
    if (quiet) await quiet
    for (let count = 0; this.#straysSeen !== this.#strays; count++) {
      if (count >= MOST_SILENCES) throw new NoAnswer('the line is never quiet', true)
      this.#straysSeen = this.#strays
      await this.#silence()
    }
  }

  #take(data: Uint8Array): void {
    if (!this.#request) {
      this.#strays += data.length
      return
    }
    this.#received = joined(this.#received, data)
    const found = findAnswer(this.#request, this.#received)
    if (!found) return
    if (found.kind === 'garbage') {
      this.onGarbage()
      return
    }
    const frame = Buffer.from(this.#received.subarray(found.start, found.end))
    this.#request = undefined
    if (found.end < this.#received.length) this.#strays++
    this.#received = new Uint8Array(0)
    if (this.#silenceMs > 0) this.#quiet = this.#silence()
    this.emit('data', frame)
  }

  #silence(): Promise<void> {
    return this.#clock.sleep(Math.max(1, this.#silenceMs), this.#signal).catch(() => undefined)
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second.length > MOST_BYTES ? second.slice(-MOST_BYTES) : second
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all.length > MOST_BYTES ? all.slice(-MOST_BYTES) : all
}
