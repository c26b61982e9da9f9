import { isJsonLine, LONGEST_JSON, readJsonLine } from './json-line.ts'
import { type LineHeader, LONGEST_HEADER, readHeader } from './log-header.ts'

/** Who is told of lines, in their order, while they are read. */
export interface LogSink {
  /** A line begins, so many bytes after the start of its file. */
  line(header: LineHeader, at: number): void
  /** Some of what it holds; borrowed until the call returns. */
  content(bytes: Buffer): void
  end(): void
}

const NEWLINE = 0x0a
const NOTHING = Buffer.alloc(0)

/**
 * Reads a log in the form of CRI, or of Docker where its lines are JSON, in pieces of any size. Lines of CRI take no memory, however
 * long they are; one that is neither is passed over.
 */
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
      if (this.#state === 'header' && isJsonLine(data, at)) {
        if (newline < 0 && data.length - at < LONGEST_JSON) break
        if (newline >= 0 && end - at < LONGEST_JSON) this.#json(data.subarray(at, end), this.#at + at)
        this.#state = 'passing'
      }
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
    else if (this.#state === 'header' && isJsonLine(this.#carry, 0)) this.#json(this.#carry, this.#at)
    this.#state = 'header'
    this.#carry = NOTHING
    this.#at = 0
  }

  #json(bytes: Buffer, at: number): void {
    const line = readJsonLine(bytes)
    if (!line) return
    this.#sink.line(line, at)
    if (line.content.length > 0) this.#sink.content(line.content)
    this.#sink.end()
  }
}
