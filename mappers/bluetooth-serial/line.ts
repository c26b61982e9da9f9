import type { Duplex } from 'node:stream'
import type { MapperContext } from '../contract/index.ts'
import { type FrameCounts, FrameDecoder } from './framing/frame-decoder.ts'
import type { FrameRules } from './framing/framing.ts'

/** Takes a frame, or leaves it to those who came later. */
export type FrameTaker = (payload: Buffer) => boolean

/**
 * One line: bytes out, frames in. Devices on it may frame differently, so that each kind of framing looks at all bytes. Frames
 * go to whoever takes them first; nothing waits here for somebody who may come later.
 */
export class Line implements AsyncDisposable {
  readonly #stream: Duplex
  readonly #clock: MapperContext['clock']
  readonly #readers = new Map<string, Reader>()
  readonly #closing = new AbortController()
  readonly #lost: Promise<never>
  /** Bytes that came in, ever. */
  received = 0
  onBytes: () => void = () => undefined

  constructor(stream: Duplex, clock: MapperContext['clock']) {
    this.#stream = stream
    this.#clock = clock
    const { promise, reject } = Promise.withResolvers<never>()
    let cause: Error | undefined
    stream.on('error', (error) => {
      cause = error
      reject(error)
    })
    stream.once('end', () => stream.destroy())
    stream.once('close', () => reject(cause ?? new Error('the other end has closed the line')))
    promise.catch(() => undefined)
    this.#lost = promise
    stream.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  /** Rejects when the line is lost. */
  get lost(): Promise<never> {
    return this.#lost
  }

  get isOpen(): boolean {
    return !this.#stream.destroyed
  }

  /** Settles when the bytes have left; rejects when the signal aborts or the line is lost. */
  async send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = () => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()))
    try {
      await Promise.race([promise, this.#lost])
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Frames go to `taker` until it is disposed, before those who listened earlier when it is `first`. */
  listen(rules: FrameRules, taker: FrameTaker, first = false): Disposable {
    const key = framingKey(rules)
    const reader = this.#readers.get(key) ?? { decoder: new FrameDecoder(rules), rules, takers: [], pauses: 0 }
    this.#readers.set(key, reader)
    if (first) reader.takers.unshift(taker)
    else reader.takers.push(taker)
    return {
      [Symbol.dispose]: () => {
        reader.takers = reader.takers.filter((each) => each !== taker)
        if (reader.takers.length === 0) this.#readers.delete(key)
      },
    }
  }

  /** What was received of frames in this framing. */
  counts(rules: FrameRules): Readonly<FrameCounts> | undefined {
    return this.#readers.get(framingKey(rules))?.decoder.counts
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the line is closed'))
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#stream.closed) return
    this.#stream.once('close', () => resolve())
    this.#stream.destroy()
    await promise
  }

  #take(bytes: Buffer): void {
    this.received += bytes.length
    this.onBytes()
    for (const reader of [...this.#readers.values()]) {
      this.#deliver(reader, reader.decoder.push(bytes))
      if (reader.rules.silence !== undefined && reader.decoder.isMidFrame)
        void this.#pause(reader, reader.rules.silence)
    }
  }

  /** What comes within `silence` of the last byte belongs to it. */
  async #pause(reader: Reader, silence: number): Promise<void> {
    const mine = ++reader.pauses
    try {
      await this.#clock.sleep(silence, this.#closing.signal)
    } catch {
      // The line is closed.
      return
    }
    if (mine === reader.pauses) this.#deliver(reader, reader.decoder.pause())
  }

  #deliver(reader: Reader, payloads: readonly Buffer[]): void {
    for (const payload of payloads) for (const take of [...reader.takers]) if (take(payload)) break
  }
}

interface Reader {
  readonly decoder: FrameDecoder
  readonly rules: FrameRules
  takers: FrameTaker[]
  pauses: number
}

const keys = new WeakMap<FrameRules, string>()

/** Equal for equal rules. */
export function framingKey(rules: FrameRules): string {
  const known = keys.get(rules)
  if (known !== undefined) return known
  const key = JSON.stringify(rules)
  keys.set(rules, key)
  return key
}
