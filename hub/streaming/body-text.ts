import type { Readable } from 'node:stream'

/** The beginning of what a stream says, as text. What comes behind is dropped. Never rejects. */
export async function beginningOf(stream: Readable, mostBytes: number): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  try {
    for await (const piece of stream) {
      pieces.push(Buffer.from(piece))
      size += piece.length
      if (size >= mostBytes) break
    }
  } catch {
    // What came until then says more than the break.
  }
  return Buffer.concat(pieces).subarray(0, mostBytes).toString('utf8')
}
