export type LogStream = 'stdout' | 'stderr'

/** What a log says of a line beside what was written. */
export interface LineHeader {
  readonly time: string
  readonly stream: LogStream
  /** What it holds goes on with the next line of its stream. */
  readonly isPartial: boolean
}

/** How a line of a CRI log begins: `2026-01-31T12:00:00.000000001Z stdout F `. */
export interface LogHeader extends LineHeader {
  /** Where what was written begins. */
  readonly contentAt: number
}

/** More than any runtime writes before what the container wrote. */
export const LONGEST_HEADER = 128

const SPACE = 0x20
export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/

/** The header of the line that begins at `at` and ends before `end`; undefined where there is none. */
export function readHeader(data: Buffer, at: number, end: number): LogHeader | undefined {
  const most = Math.min(end, at + LONGEST_HEADER)
  const first = data.indexOf(SPACE, at)
  const second = first < 0 ? -1 : data.indexOf(SPACE, first + 1)
  const third = second < 0 ? -1 : data.indexOf(SPACE, second + 1)
  if (third < 0 || third >= most) return undefined
  const time = data.toString('latin1', at, first)
  const stream = streamOf(data.toString('latin1', first + 1, second))
  if (stream === undefined || !TIME.test(time)) return undefined
  // Other tags may follow after a colon.
  const [tag] = data.toString('latin1', second + 1, third).split(':')
  return { time, stream, isPartial: tag === 'P', contentAt: third + 1 }
}

export function streamOf(word: string): LogStream | undefined {
  return word === 'stdout' || word === 'stderr' ? word : undefined
}
