import type { Duplex } from 'node:stream'
import type { MapperContext } from '../contract/index.ts'
import { type FrameCounts, FrameDecoder } from './framing/frame-decoder.ts'
import type { FrameRules } from './framing/framing.ts'
import { onAbort } from './on-abort.ts'

/** Takes a frame, or leaves it to those who came later. */
export type FrameTaker = (payload: Buffer) => boolean

/**
 * One line: bytes out, frames in. Devices on it may frame differently, so that each kind of framing looks at all bytes. Frames
 * go to whoever takes them first; nothing waits here for somebody who may come later.
 */
export class Line implements AsyncDisposable {
  readonly #stream: Duplex
  readonly #name: string
  readonly #clock: MapperContext['clock']
  readonly #log: MapperContext['log']
  readonly #readers = new Map<string, Reader>()
  /** Of frames in each framing, over all who listened. */
  readonly #counts = new Map<string, FrameCounts>()
  readonly #lost = new AbortController()
  #warnedOf = 0
  /** Bytes that came in, ever. */
  received = 0

  constructor(stream: Duplex, name: string, { clock, log }: Pick<MapperContext, 'clock' | 'log'>) {
    this.#stream = stream
    this.#name = name
    this.#clock = clock
    this.#log = log
    stream.on('error', (error) => this.#lost.abort(error))
    stream.once('end', () => stream.destroy())
    stream.once('close', () => this.#lost.abort(new Error('the other end has closed the line')))
    stream.on('data', (bytes: Buffer) => this.#take(bytes))
  }

  /** Aborts when the line is lost or closed, with the reason. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** Settles when the bytes have left; rejects when the signal aborts or the line is lost. */
  async send(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    using _bounds = onAbort([signal, this.lost], reject)
    if (!signal.aborted && !this.lost.aborted) {
      this.#stream.write(bytes, (error) => (error ? reject(error) : resolve()))
    }
    await promise
  }

  /** Frames go to `taker` until it is disposed, before those who listened earlier when it is `first`. */
  listen(rules: FrameRules, taker: FrameTaker, first = false): Disposable {
    const key = framingKey(rules)
    const reader = this.#readers.get(key) ?? this.#createReader(key, rules)
    if (first) reader.takers.unshift(taker)
    else reader.takers.push(taker)
    return {
      [Symbol.dispose]: () => {
        reader.takers = reader.takers.filter((each) => each !== taker)
        if (reader.takers.length > 0) return
        reader.pause?.abort(OVER)
        this.#readers.delete(key)
      },
    }
  }

  /** What was received of frames in this framing, while anybody listened for them. */
  counts(rules: FrameRules): Readonly<FrameCounts> {
    return { ...this.#countsOf(framingKey(rules)) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { pause } of this.#readers.values()) pause?.abort(OVER)
    for (const counts of this.#counts.values())
      this.#log.debug('A serial line is closed', { line: this.#name, ...counts })
    const { promise, resolve } = Promise.withResolvers<void>()
    if (this.#stream.closed) return
    this.#stream.once('close', () => resolve())
    this.#stream.destroy()
    await promise
  }

  #take(bytes: Buffer): void {
    this.received += bytes.length
    for (const reader of [...this.#readers.values()]) {
      reader.pause?.abort(OVER)
      this.#deliver(reader, reader.decoder.push(bytes))
      if (reader.rules.silence !== undefined && reader.decoder.isMidFrame)
        void this.#pause(reader, reader.rules.silence)
      this.#warn(reader.decoder.counts)
    }
  }

  /** With growing distances: a bad cable damages a frame now and then. */
  #warn(counts: FrameCounts): void {
    if (counts.badFrames <= this.#warnedOf * 10) return
    this.#warnedOf = counts.badFrames
    this.#log.warn('Damaged frames come over a serial line', { line: this.#name, ...counts })
  }

  /** What comes within `silence` of the last byte belongs to it. */
  async #pause(reader: Reader, silence: number): Promise<void> {
    const pause = new AbortController()
    reader.pause = pause
    try {
      await this.#clock.sleep(silence, pause.signal)
    } catch {
      // More came, or nobody listens any longer.
      return
    }
    this.#deliver(reader, reader.decoder.pause())
  }

  #createReader(key: string, rules: FrameRules): Reader {
    const reader: Reader = {
      decoder: new FrameDecoder(rules, this.#countsOf(key)),
      rules,
      takers: [],
      pause: undefined,
    }
    this.#readers.set(key, reader)
    return reader
  }

  #countsOf(key: string): FrameCounts {
    const counts = this.#counts.get(key) ?? { frames: 0, badFrames: 0, skippedBytes: 0 }
    this.#counts.set(key, counts)
    return counts
  }

  #deliver(reader: Reader, payloads: readonly Buffer[]): void {
    for (const payload of payloads) for (const take of [...reader.takers]) if (take(payload)) break
  }
}

interface Reader {
  readonly decoder: FrameDecoder
  readonly rules: FrameRules
  takers: FrameTaker[]
  /** The one that is waited for. */
  pause: AbortController | undefined
}

const OVER = new Error('the pause is over')

const keys = new WeakMap<FrameRules, string>()

/** Equal for equal rules. */
export function framingKey(rules: FrameRules): string {
  const known = keys.get(rules)
  if (known !== undefined) return known
  const key = JSON.stringify(rules)
  keys.set(rules, key)
  return key
}
