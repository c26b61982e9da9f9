import type { IncomingMessage } from 'node:http'
import { RefusedError, UnavailableError } from '../lifecycle/errors.ts'

/**
 * The whole body of a request or answer. Rejects with RefusedError PLATFORM_BODY_TOO_LARGE as soon as it is known to be longer
 * than `maxBytes` (reading stops; answer 413 and close), with UnavailableError when the peer leaves half-way, or with the
 * signal's reason. `onPiece` is called for each piece that comes.
 */
export function readBody(
  request: IncomingMessage,
  maxBytes: number,
  signal?: AbortSignal,
  onPiece?: () => void,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const done = (settle: () => void) => {
      request.off('data', onData).off('end', onEnd).off('error', onError).off('close', onClose)
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    const fail = (error: unknown) => {
      request.pause()
      done(() => reject(error))
    }
    const onData = (chunk: Buffer) => {
      length += chunk.length
      onPiece?.()
      if (length > maxBytes) fail(tooLarge(maxBytes))
      else chunks.push(chunk)
    }
    const onEnd = () => done(() => resolve(Buffer.concat(chunks, length)))
    const onError = (cause: unknown) => fail(cutOff(cause))
    const onClose = () => fail(cutOff(undefined))
    const onAbort = () => fail(signal?.reason)

    if (signal?.aborted) return reject(signal.reason)
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return reject(tooLarge(maxBytes))
    if (request.destroyed && !request.readableEnded) return reject(cutOff(undefined))
    signal?.addEventListener('abort', onAbort, { once: true })
    request.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose)
  })
}

function tooLarge(maxBytes: number): RefusedError {
  return new RefusedError('The body is too large', { code: 'PLATFORM_BODY_TOO_LARGE', fields: { maxBytes } })
}

function cutOff(cause: unknown): UnavailableError {
  return new UnavailableError('The peer left before the body was complete', { code: 'PLATFORM_BODY_CUT_OFF', cause })
}
