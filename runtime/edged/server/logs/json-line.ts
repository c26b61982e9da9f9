import { type LogStream, streamOf, TIME } from './log-header.ts'

/** A line of a log as Docker keeps it (driver `json-file`), behind cri-dockerd. */
export interface JsonLine {
  readonly time: string
  readonly stream: LogStream
  /** What was written, without the newline at its end. */
  readonly content: Buffer
  /** It had none: Docker cuts long lines, and the rest follows. */
  readonly isPartial: boolean
}

/** Docker cuts after 16 KiB, each of which it may write as six characters; labels of the container may stand beside it. */
export const LONGEST_JSON = 256 * 1024

const BRACE = 0x7b

/** A line in the form of CRI begins with its time. */
export function isJsonLine(data: Buffer, at: number): boolean {
  return data[at] === BRACE
}

/** The line that is these bytes; undefined where it is none, or holds nothing. */
export function readJsonLine(bytes: Buffer): JsonLine | undefined {
  const said = parsed(bytes.toString())
  if (typeof said !== 'object' || said === null) return undefined
  const [log, word, time]: readonly unknown[] = ['log', 'stream', 'time'].map((name) => Reflect.get(said, name))
  const stream = typeof word === 'string' ? streamOf(word) : undefined
  if (typeof log !== 'string' || log === '' || stream === undefined || typeof time !== 'string' || !TIME.test(time))
    return undefined
  const isPartial = !log.endsWith('\n')
  return { time, stream, content: Buffer.from(isPartial ? log : log.slice(0, -1)), isPartial }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Cut off by a crash, or not Docker's.
    return undefined
  }
}
