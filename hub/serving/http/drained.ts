import type { ServerResponse } from 'node:http'

/** Bytes that the client has not read yet. More of a watch wait in the server's own queue; more of a list are not made yet. */
export const MOST_UNREAD = 256 * 1024

/** Settles when the client has read what was sent, or is gone. */
export function drained(response: ServerResponse, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = () => {
      response.off('drain', settle).off('close', settle)
      signal.removeEventListener('abort', settle)
      resolve()
    }
    response.on('drain', settle).on('close', settle)
    signal.addEventListener('abort', settle)
    if (signal.aborted) settle()
  })
}
