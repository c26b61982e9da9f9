import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, withDeadline } from '../../../../platform/time/index.ts'
import type { Tunnels } from '../../../tunnel/index.ts'
import type { ServiceRequest } from './service-frame.ts'

export interface StreamCall {
  readonly tunnels: Pick<Tunnels, 'open'>
  readonly clock: Clock
  /** For the head of the answer, and for each wait in the bodies. */
  readonly deadline: Duration
  readonly signal: AbortSignal
}

/**
 * Calls a local service of a node over a stream of its tunnel, once: the body goes as it comes, and so does that of the answer.
 * Settles with the head of the answer, whose body the caller reads or destroys. A failure ends the stream.
 */
export async function callInStream(
  { node, port, path, method, headers }: ServiceRequest,
  body: Readable | undefined,
  { tunnels, clock, deadline, signal }: StreamCall,
): Promise<IncomingMessage> {
  const stream = await withDeadline(clock, deadline, signal, (limited) => tunnels.open(node, 'servicebus', limited))
  try {
    return await withDeadline(clock, deadline, signal, () => exchange(stream, { port, path, method, headers }, { body, deadline }))
  } catch (error) {
    stream.destroy()
    throw error
  }
}

type Head = Pick<ServiceRequest, 'port' | 'path' | 'method' | 'headers'>

function exchange(
  stream: Duplex,
  { port, path, method, headers }: Head,
  { body, deadline }: { readonly body: Readable | undefined; readonly deadline: Duration },
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing: Record<string, string | readonly string[]> = {}
    for (const [name, values] of Object.entries(headers)) outgoing[name] = values.length === 1 ? (values[0] ?? '') : values
    const call: ClientRequest = httpRequest({
      createConnection: () => stream,
      method,
      path: `/${port}${path}`,
      setHost: false,
      headers: { ...outgoing, host: '127.0.0.1', connection: 'close', 'x-skerry-deadline-ms': String(deadline.milliseconds) },
    })
    const failed = (cause: unknown) =>
      reject(
        cause instanceof Error && 'code' in cause && String(cause.code).startsWith('HUB_')
          ? cause
          : new UnavailableError('The node broke off the call', { code: 'HUB_TUNNEL_CLOSED', cause }),
      )
    call.once('error', failed)
    call.once('response', (answer) => {
      call.off('error', failed)
      // What breaks later breaks the answer, which is then told.
      call.on('error', () => answer.destroy())
      resolve(answer)
    })
    if (body) void pipeline(body, call).catch(failed)
    else call.end()
  })
}
