import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { Connect } from '../../streaming/index.ts'

/** Until the head of an answer has come. */
const ANSWER_WITHIN = seconds(60)

export interface NodeRequest {
  readonly connect: Connect
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Readable
  readonly clock: Clock
}

/** An answer whose body is still to come; `close` breaks it off. */
export interface NodeAnswer {
  readonly response: IncomingMessage
  close(): void
}

/** Asks over a connection of its own. Rejects with what the connection rejects with, or DeadlineError. */
export async function askNode(request: NodeRequest, signal: AbortSignal): Promise<NodeAnswer> {
  let socket: Duplex | undefined
  try {
    return await withDeadline(request.clock, ANSWER_WITHIN, signal, async (within) => {
      const opened = await request.connect(within)
      socket = opened
      if (within.aborted) opened.destroy()
      return await exchange(request, opened)
    })
  } catch (error) {
    socket?.destroy()
    throw error
  }
}

function exchange({ method, path, headers, body }: NodeRequest, socket: Duplex): Promise<NodeAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      createConnection: () => socket,
      method,
      path,
      headers: { host: 'node', ...headers, connection: 'close' },
    })
    request.on('response', (response) => {
      response.on('error', () => undefined)
      resolve({ response, close: () => socket.destroy() })
    })
    request.on('error', (cause) =>
      reject(new UnavailableError('The connection broke before an answer came', { code: 'HUB_STREAM_CUT_OFF', cause })),
    )
    if (body) body.on('error', () => socket.destroy()).pipe(request)
    else request.end()
  })
}
