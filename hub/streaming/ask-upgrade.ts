import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import { UnavailableError } from '../../platform/lifecycle/index.ts'
import { type Clock, DeadlineError, type Duration, seconds, withDeadline } from '../../platform/time/index.ts'
import type { Connect } from './command.ts'
import { silent } from './spdy/connection.ts'

export interface UpgradeRequest {
  readonly connect: Connect
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: OutgoingHttpHeaders
  readonly clock: Clock
  /** For the connection and the answer; default 60 s. */
  readonly answerWithin?: Duration
}

/** The other side changed the protocol, and `socket` speaks it; or it answered as usual, and `response` has a body. */
export type UpgradeAnswer =
  | { readonly isUpgraded: true; readonly response: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly isUpgraded: false; readonly response: IncomingMessage; readonly socket: Duplex }

const ANSWER_WITHIN = seconds(60)

/**
 * Asks for another protocol. The caller destroys the socket of the answer. Rejects with what `connect` rejects with,
 * UnavailableError HUB_STREAM_CUT_OFF or HUB_STREAM_SILENT, or the signal's reason.
 */
export async function askUpgrade(request: UpgradeRequest, signal: AbortSignal): Promise<UpgradeAnswer> {
  const { clock, answerWithin = ANSWER_WITHIN } = request
  let socket: Duplex | undefined
  try {
    return await withDeadline(clock, answerWithin, signal, async (within) => {
      socket = await request.connect(within)
      if (within.aborted) socket.destroy()
      return await exchange(request, socket)
    })
  } catch (error) {
    socket?.destroy()
    throw error instanceof DeadlineError ? silent(error) : error
  }
}

function exchange({ method, path, headers }: UpgradeRequest, socket: Duplex): Promise<UpgradeAnswer> {
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(
        new UnavailableError('The connection broke before an answer came', {
          code: 'HUB_STREAM_CUT_OFF',
          cause,
        }),
      )
    httpRequest({ createConnection: () => socket, method, path, headers })
      .on('upgrade', (response, upgraded, head) => resolve({ isUpgraded: true, response, socket: upgraded, head }))
      .on('response', (response) => resolve({ isUpgraded: false, response, socket }))
      .on('error', fail)
      .end()
  })
}
