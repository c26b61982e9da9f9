import { type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Logger } from '../../../platform/log/index.ts'
import type { Exchange } from '../answers/answer.ts'

/**
 * Answers requests that ask for another protocol: those that get none are answered as others are, and their connection ends.
 * All of them end with the signal.
 */
export function serveUpgrades(
  server: Server | TlsServer,
  answer: (exchange: Exchange, signal: AbortSignal) => Promise<void>,
  { log, signal: stopped }: { readonly log: Logger; readonly signal: AbortSignal },
): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => undefined)
    if (!(socket instanceof Socket)) {
      socket.destroy()
      return
    }
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.on('finish', () => socket.end())
    const left = new AbortController()
    socket.once('close', () => left.abort(new Error('the client left')))
    const signal = AbortSignal.any([stopped, left.signal])
    answer({ request, response, upgrade: { socket, head } }, signal).catch((error: unknown) => {
      if (!signal.aborted)
        log.error('A request for another protocol failed', { url: request.url?.split('?')[0], error })
      socket.destroy()
    })
  })
}
