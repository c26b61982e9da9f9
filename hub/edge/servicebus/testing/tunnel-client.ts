import { type IncomingMessage, request as openRequest, type RequestOptions } from 'node:http'
import type { Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import type { TunnelServer } from '../services/serve-tunnel.ts'

export interface TunnelAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

/** The cloud's end of a new stream. */
export function openStream(server: TunnelServer): Duplex {
  const [near, far] = duplexPair()
  // A stream of the tunnel that is destroyed at one end is so at the other.
  near.once('close', () => void far.destroy())
  far.once('close', () => void near.destroy())
  server.accept(far)
  return near
}

/** Sends a request over a stream of its own, as the Router does, and gives the head of the answer. */
export function ask(
  server: TunnelServer,
  path: string,
  options: RequestOptions & { readonly body?: string | Buffer | AsyncIterable<Buffer> } = {},
): Promise<IncomingMessage> {
  const { body, ...rest } = options
  return new Promise((resolve, reject) => {
    const request = openRequest({
      ...rest,
      path,
      // A stream has all that Node.js needs of a socket.
      createConnection: () => asSocket(openStream(server)),
    })
    request.on('response', resolve)
    request.on('error', reject)
    if (typeof body === 'object' && !(body instanceof Uint8Array)) void write(request, body)
    else request.end(body)
  })
}

export async function call(
  server: TunnelServer,
  path: string,
  options: Parameters<typeof ask>[2] = {},
): Promise<TunnelAnswer> {
  const response = await ask(server, path, options)
  const { statusCode: status = 0, headers, rawHeaders } = response
  return { status, headers, rawHeaders, body: await buffer(response) }
}

/** What comes back for bytes that may be no HTTP at all. */
export async function sendRaw(server: TunnelServer, bytes: string): Promise<string> {
  const stream = openStream(server)
  stream.write(bytes, 'latin1')
  return text(stream)
}

async function write(
  request: { write(chunk: Buffer): boolean; end(): unknown; once(event: 'drain', listener: () => void): unknown },
  chunks: AsyncIterable<Buffer>,
): Promise<void> {
  for await (const chunk of chunks) {
    if (!request.write(chunk)) await new Promise<void>((resolve) => request.once('drain', resolve))
  }
  request.end()
}

function asSocket(stream: Duplex): Socket
function asSocket(stream: unknown): unknown {
  return stream
}
