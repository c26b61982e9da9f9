import type { LineHeader, LogStream } from './log-header.ts'
import type { LogSink } from './log-parser.ts'

/** What of a log is wanted, and in which form. */
export interface LogForm {
  /** Undefined: both. */
  readonly stream?: LogStream
  /** Unix ms; lines that are older are left out. */
  readonly since?: number
  readonly timestamps: boolean
  /** Most bytes that are written. */
  readonly limitBytes?: number
}

/** Of a stream whose turn has not come; then lines are mixed, as they were written. */
const MOST_HELD = 256 * 1024
const NEWLINE = Buffer.from('\n')

/**
 * Makes of the lines of a log what its reader gets. Parts of one line are put together, also where the other stream was written to
 * between them; what was written there follows after the line.
 */
export class LogWriter implements LogSink {
  readonly #form: LogForm
  readonly #ready: Buffer[] = []
  readonly #held: Buffer[] = []
  #heldBytes = 0
  #left: number
  /** Whose line is under way in what was written. */
  #owner: LogStream | undefined
  /** What is known of the line of each stream that is not yet at its end. */
  readonly #open: Record<LogStream, { readonly isLeftOut: boolean } | undefined> = {
    stdout: undefined,
    stderr: undefined,
  }
  #now: { readonly stream: LogStream; readonly isPartial: boolean; readonly isLeftOut: boolean } | undefined

  constructor(form: LogForm) {
    this.#form = form
    this.#left = form.limitBytes ?? Number.POSITIVE_INFINITY
  }

  /** Nothing more is written. */
  get isFull(): boolean {
    return this.#left <= 0
  }

  line({ time, stream, isPartial }: LineHeader): void {
    const begun = this.#open[stream]
    const isLeftOut = begun ? begun.isLeftOut : this.#isUnwanted(stream, time)
    this.#open[stream] = isPartial ? { isLeftOut } : undefined
    this.#now = { stream, isPartial, isLeftOut }
    if (isLeftOut) return
    this.#owner ??= stream
    if (!begun && this.#form.timestamps) this.#write(Buffer.from(`${nineDigits(time)} `))
  }

  content(bytes: Buffer): void {
    if (this.#now && !this.#now.isLeftOut) this.#write(Buffer.from(bytes))
  }

  end(): void {
    const now = this.#now
    if (!now || now.isLeftOut || now.isPartial) return
    this.#write(NEWLINE)
    if (this.#owner !== now.stream) return
    this.#owner = undefined
    this.release()
    const other = now.stream === 'stdout' ? 'stderr' : 'stdout'
    if (this.#open[other]?.isLeftOut === false) this.#owner = other
  }

  /** What waits for the end of another line goes now. */
  release(): void {
    for (const each of this.#held.splice(0)) this.#put(each)
    this.#heldBytes = 0
  }

  /** What was written since the last call; undefined for nothing. */
  take(): Buffer | undefined {
    if (this.#ready.length === 0) return undefined
    return Buffer.concat(this.#ready.splice(0))
  }

  #isUnwanted(stream: LogStream, time: string): boolean {
    const { stream: wanted, since } = this.#form
    return (wanted !== undefined && wanted !== stream) || (since !== undefined && Date.parse(time) < since)
  }

  #write(bytes: Buffer): void {
    if (this.#owner === this.#now?.stream) {
      this.#put(bytes)
      return
    }
    this.#held.push(bytes)
    this.#heldBytes += bytes.length
    if (this.#heldBytes > MOST_HELD) this.release()
  }

  #put(bytes: Buffer): void {
    const part = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes
    if (part.length === 0) return
    this.#left -= part.length
    this.#ready.push(part)
  }
}

/** As a kubelet prints a time: all nine digits, in the zone in which it was written. */
export function nineDigits(time: string): string {
  const [, whole = time, fraction = '', zone = ''] = /^([^.Z+]+?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(time) ?? []
  return `${whole}.${fraction.padEnd(9, '0')}${zone}`
}
