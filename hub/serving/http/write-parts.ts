import type { ServerResponse } from 'node:http'
import { type Clock, nextTurn, seconds } from '../../../platform/time/index.ts'
import type { Answer } from '../answers/answer.ts'
import { drained, MOST_UNREAD } from './drained.ts'

/** Between two moments at which the client has read all that was sent. */
const PATIENCE = seconds(60)

export interface WritePartsOptions {
  readonly signal: AbortSignal
  readonly clock: Clock
  /** Told when the client is cut off because it reads nothing. */
  readonly onSlow: () => void
}

/**
 * Sends an answer piece by piece, as fast as the client reads: what it has not read yet is made later, and others have their
 * turn in between.
 */
export async function writeParts(
  response: ServerResponse,
  { code, type, headers }: Answer,
  parts: Iterator<string>,
  { signal, clock, onSlow }: WritePartsOptions,
): Promise<void> {
  const first = parts.next()
  let next = parts.next()
  if (next.done) {
    const body = Buffer.from(first.done ? '' : first.value)
    response.writeHead(code, { ...headers, 'content-type': type, 'content-length': body.length }).end(body)
    return
  }
  response.writeHead(code, { ...headers, 'content-type': type })
  response.write(first.value)
  for (; !next.done; next = parts.next()) {
    response.write(next.value)
    if (response.writableLength <= MOST_UNREAD) await nextTurn()
    else {
      using _patience = clock.after(PATIENCE, () => {
        onSlow()
        response.destroy()
      })
      await drained(response, signal)
    }
    if (signal.aborted || response.destroyed) return
  }
  response.end()
}
