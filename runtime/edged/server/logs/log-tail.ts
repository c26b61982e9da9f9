import type { FileHandle } from 'node:fs/promises'
import { LONGEST_HEADER, readHeader } from './log-header.ts'
import { LogParser } from './log-parser.ts'

/** Where the last lines of a file begin, or how many it has where those are too few. */
export type Tail = { readonly at: number } | { readonly lines: number }

const BLOCK = 64 * 1024
const NEWLINE = 0x0a

/** Reads backwards, in blocks, the first `size` bytes of a file. `lines` is at least 1. */
export async function tailOf(file: FileHandle, size: number, lines: number): Promise<Tail> {
  const block = Buffer.allocUnsafe(BLOCK + LONGEST_HEADER)
  let found = 0
  /** Where the line begins that was seen last. */
  let begin: number | undefined
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - BLOCK)
    // With the beginning of the block after it: a header may lie across.
    const { bytesRead } = await file.read(block, 0, Math.min(size, end + LONGEST_HEADER) - start, start)
    const data = block.subarray(0, bytesRead)
    for (let at = end - start - 1; at >= -1; at--) {
      at = at < 0 ? -1 : data.lastIndexOf(NEWLINE, at)
      if (at < 0 && start > 0) break
      const line = start + at + 1
      if (line >= size) continue
      const newline = data.indexOf(NEWLINE, at + 1)
      const header = readHeader(data, at + 1, newline < 0 ? data.length : newline)
      // What begins after a part goes on with its line.
      if (begin !== undefined && header?.isPartial !== true && ++found === lines) return { at: begin }
      begin = line
    }
    end = start
  }
  if (begin === undefined) return { lines: 0 }
  return found + 1 === lines ? { at: 0 } : { lines: found + 1 }
}

/** The same of what can only be read forwards, which is done twice. */
export async function tailOfChunks(chunks: () => AsyncIterable<Buffer>, lines: number): Promise<Tail> {
  let all = 0
  await eachLine(chunks(), () => void all++)
  if (all < lines) return { lines: all }
  let [index, found] = [0, 0]
  await eachLine(chunks(), (at) => {
    if (index++ === all - lines) found = at
  })
  return { at: found }
}

async function eachLine(chunks: AsyncIterable<Buffer>, onLine: (at: number) => void): Promise<void> {
  let isInside = false
  const parser = new LogParser({
    line({ isPartial }, at) {
      if (!isInside) onLine(at)
      isInside = isPartial
    },
    content: () => undefined,
    end: () => undefined,
  })
  for await (const chunk of chunks) parser.feed(chunk)
}
