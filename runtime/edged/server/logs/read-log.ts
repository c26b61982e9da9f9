import { type Clock, seconds } from '../../../../platform/time/index.ts'
import { LogChain, type Opened, type Place } from './log-chain.ts'
import type { LogFolder } from './log-folder.ts'
import { LogParser } from './log-parser.ts'
import { type LogForm, LogWriter } from './log-writer.ts'

export interface LogRequest extends LogForm {
  /** Only so many lines from the end. */
  readonly tailLines?: number
  /** Goes on with what is written later, until the container has ended. */
  readonly follow: boolean
}

export interface LogSource {
  readonly folder: LogFolder
  /** `3.log` */
  readonly name: string
  /** The container may write more. */
  readonly isRunning: () => boolean
  readonly clock: Clock
}

const BLOCK = 64 * 1024
/** A kubelet's: whatever the machine says of changes. */
const LOOK_EVERY = seconds(1)

/**
 * The log of one container over all its files, from the oldest line that is wanted. A piece is for its reader alone; the next one is read
 * when it is asked for. Without `follow` it ends with what was there when it began.
 */
export async function* readLog(
  source: LogSource,
  request: LogRequest,
  signal: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  using reader = new LogReader(source, request, signal)
  yield* reader.pieces()
}

class LogReader implements Disposable {
  readonly #source: LogSource
  readonly #request: LogRequest
  readonly #signal: AbortSignal
  readonly #chain: LogChain
  readonly #writer: LogWriter
  readonly #watch: Disposable | undefined
  #news = Promise.withResolvers<void>()

  constructor(source: LogSource, request: LogRequest, signal: AbortSignal) {
    this.#source = source
    this.#request = request
    this.#signal = signal
    this.#chain = new LogChain(source.folder, source.name)
    this.#writer = new LogWriter(request)
    this.#watch = request.follow ? source.folder.watch(() => this.#news.resolve()) : undefined
  }

  async *pieces(): AsyncGenerator<Buffer, void, undefined> {
    let opened = await this.#chain.begin(this.#request)
    let place: Place | undefined = opened?.place ?? { suffix: undefined, at: 0 }
    while (place && !this.#isOver) {
      opened ??= await this.#chain.open(place)
      if (opened) {
        await using reading = opened
        opened = undefined
        yield* reading.file.plain ? this.#plain(reading) : this.#compressed(reading)
        place = await this.#chain.after(reading)
      } else if (place.suffix !== undefined) place = await this.#chain.after({ place, newest: undefined })
      else if (!(await this.#isWaitedFor())) break
    }
    this.#writer.release()
    yield* this.#written()
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]()
  }

  get #isOver(): boolean {
    return this.#writer.isFull || this.#signal.aborted
  }

  /** To its end; where it is the one that is written and the log is followed, to the end of the container. */
  async *#plain(reading: Opened): AsyncGenerator<Buffer, void, undefined> {
    const { file, place } = reading
    if (!file.plain) return
    const isSnapshot = place.suffix === undefined && !this.#request.follow
    const size = isSnapshot ? (await file.plain.stat()).size : Number.POSITIVE_INFINITY
    const parser = new LogParser(this.#writer, place.at)
    const block = Buffer.allocUnsafe(BLOCK)
    let { at } = place
    /** Nothing will be written to it: what is there now is the rest of it. */
    let isLast = false
    while (!this.#isOver) {
      const { bytesRead } = await file.plain.read(block, 0, Math.min(BLOCK, size - at), at)
      at += bytesRead
      if (bytesRead > 0) {
        parser.feed(block.subarray(0, bytesRead))
        yield* this.#written()
      } else if (isSnapshot || isLast) break
      else if (await this.#chain.after(reading)) isLast = true
      else {
        this.#writer.release()
        yield* this.#written()
        isLast = !(await this.#isWaitedFor())
      }
    }
    parser.endOfFile()
  }

  async *#compressed({ file, place }: Opened): AsyncGenerator<Buffer, void, undefined> {
    const parser = new LogParser(this.#writer, place.at)
    let skip = place.at
    for await (const chunk of file.chunks()) {
      const rest = chunk.subarray(Math.min(skip, chunk.length))
      skip -= chunk.length - rest.length
      parser.feed(rest)
      yield* this.#written()
      if (this.#isOver) return
    }
    parser.endOfFile()
  }

  *#written(): Generator<Buffer, void, undefined> {
    const piece = this.#writer.take()
    if (piece) yield piece
  }

  /** Settles when there may be more; false: there will be none. */
  async #isWaitedFor(): Promise<boolean> {
    const { isRunning, clock } = this.#source
    if (!this.#request.follow || !isRunning() || this.#signal.aborted) return false
    const rested = new AbortController()
    const stop = () => rested.abort()
    this.#signal.addEventListener('abort', stop, { once: true })
    await Promise.race([this.#news.promise, clock.sleep(LOOK_EVERY, rested.signal).catch(() => undefined)])
    rested.abort()
    this.#signal.removeEventListener('abort', stop)
    this.#news = Promise.withResolvers<void>()
    return true
  }
}
