import type { Readable } from 'node:stream'
import { type Clock, seconds } from '../../platform/time/index.ts'

const WORDS_WITHIN = seconds(10)

/** What an answer says in place of what was asked for, as far as it comes soon: the other side may never end it. Never rejects. */
export async function wordsOf(answer: Readable, mostBytes: number, clock: Clock): Promise<string> {
  using _timer = clock.after(WORDS_WITHIN, () => answer.destroy())
  return await beginningOf(answer, mostBytes)
}

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
