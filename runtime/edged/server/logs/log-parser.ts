import { LONGEST_HEADER, type LogHeader, readHeader } from './log-header.ts'

/** Who is told of lines, in their order, while they are read. */
export interface LogSink {
  /** A line begins, so many bytes after the start of its file. */
  line(header: LogHeader, at: number): void
  /** Some of what it holds; borrowed until the call returns. */
  content(bytes: Buffer): void
  end(): void
}

const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

/** Reads a log in the form of CRI, in pieces of any size. Lines of any length take no memory; one without a header is passed over. */
export class LogParser {
  readonly #sink: LogSink
  #state: 'header' | 'content' | 'passing' = 'header'
  #carry: Buffer = NOTHING
  /** Bytes of the file before `#carry`. */
  #at: number

  constructor(sink: LogSink, at = 0) {
    this.#sink = sink
    this.#at = at
  }

  feed(chunk: Buffer): void {
    const data = this.#carry.length === 0 ? chunk : Buffer.concat([this.#carry, chunk])
    let at = 0
    while (at < data.length) {
      const newline = data.indexOf(NEWLINE, at)
      const end = newline < 0 ? data.length : newline
      if (this.#state === 'header') {
        const header = readHeader(data, at, end)
        if (!header && newline < 0 && data.length - at < LONGEST_HEADER) break
        this.#state = header ? 'content' : 'passing'
        if (header) {
          this.#sink.line(header, this.#at + at)
          at = header.contentAt
        }
      }
      if (this.#state === 'content') {
        if (end > at) this.#sink.content(data.subarray(at, end))
        if (newline >= 0) this.#sink.end()
      }
      if (newline >= 0) this.#state = 'header'
      at = newline < 0 ? data.length : newline + 1
    }
    this.#carry = at < data.length ? Buffer.from(data.subarray(at)) : NOTHING
    this.#at += at
  }

  /** Nothing follows in this file: a line that a crash cut off ends here. */
  endOfFile(): void {
    if (this.#state === 'content') this.#sink.end()
    this.#state = 'header'
    this.#carry = NOTHING
    this.#at = 0
  }
}
