import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../time/index.ts'
import { linger } from './linger.ts'

/**
 * A request that is answered before its body has come ends its connection: what comes of the body must not be taken for the next
 * request. A peer that waits for permission to send gets it when somebody begins to read, and not before its length was judged
 * (RFC 9110 §10.1.1).
 */
export function guardBody(
  request: IncomingMessage,
  response: ServerResponse,
  { waits, clock }: { readonly waits: boolean; readonly clock: Clock },
): void {
  closeUnlessRead(request, response, clock)
  if (waits) permitOnRead(request, response)
}

function closeUnlessRead(request: IncomingMessage, response: ServerResponse, clock: Clock): void {
  const { writeHead } = response
  Object.assign(response, {
    writeHead(...head: readonly unknown[]) {
      if (!request.complete) endAfter(request, response, clock)
      return Reflect.apply(writeHead, response, head)
    },
  })
}

function endAfter(request: IncomingMessage, response: ServerResponse, clock: Clock): void {
  const { socket } = request
  const { destroySoon } = socket
  response.shouldKeepAlive = false
  Object.assign(socket, {
    destroySoon() {
      Object.assign(socket, { destroySoon })
      if (request.complete) socket.destroySoon()
      else linger(socket, clock)
    },
  })
}

function permitOnRead(request: IncomingMessage, response: ServerResponse): void {
  const { _read: read } = request
  Object.assign(request, {
    _read(size: number) {
      Object.assign(request, { _read: read })
      if (!response.headersSent && !response.destroyed) response.writeContinue()
      Reflect.apply(read, request, [size])
    },
  })
}
