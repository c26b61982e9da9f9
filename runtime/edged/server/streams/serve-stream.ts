import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { readBody } from '../../../../platform/http/index.ts'
import { minutes, seconds, withDeadline } from '../../../../platform/time/index.ts'
import { KubeletRefusal } from '../answers.ts'
import type { ServerPorts } from '../server-ports.ts'
import { type AskedStream, streamUrl } from './stream-url.ts'

/** For the runtime to begin; containerd gives its clients as long. */
const BEGIN = seconds(30)
/** For the other side to leave, once one has. */
const LEAVE = minutes(1)
const MOST_REFUSAL_BYTES = 64 * 1024
/** What the runtime has to know; whose request it is, it has not. */
const PASSED = /^(connection|upgrade|origin|user-agent|x-stream-protocol-version|sec-websocket-[a-z]+)$/

/** An upgraded request that came in. */
export interface Caller {
  readonly request: IncomingMessage
  readonly socket: Duplex
  /** What came of the stream already. */
  readonly head: Buffer
}

/**
 * Joins the caller with the streaming server of the container runtime: what goes over the connection from then on, SPDY or WebSocket, is
 * theirs. Settles when it is over; rejects with a KubeletRefusal before anything was answered.
 */
export async function serveStream(
  ports: ServerPorts,
  asked: AskedStream,
  caller: Caller,
  signal: AbortSignal,
): Promise<void> {
  const url = await streamUrl(ports, asked, signal)
  const upgraded = await withDeadline(ports.clock, BEGIN, signal, (inTime) => upgrade(url, caller.request, inTime))
  const { response, socket, head } = upgraded
  caller.socket.write(answerHead(response))
  if (head.length > 0) caller.socket.write(head)
  if (caller.head.length > 0) socket.write(caller.head)
  await join(caller.socket, socket, ports, signal)
}

interface Upgraded {
  readonly response: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
}

function upgrade(url: URL, { method, rawHeaders }: IncomingMessage, signal: AbortSignal): Promise<Upgraded> {
  const headers: Record<string, string[]> = {}
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase()
    if (PASSED.test(name)) headers[name] = [...(headers[name] ?? []), rawHeaders[at + 1] ?? '']
  }
  const { hostname: host, port, pathname, search } = url
  return new Promise((resolve, reject) => {
    const asking = httpRequest({ host, port, path: pathname + search, method, headers, agent: false })
    const onAbort = () => asking.destroy(signal.reason instanceof Error ? signal.reason : undefined)
    signal.addEventListener('abort', onAbort, { once: true })
    asking.on('close', () => signal.removeEventListener('abort', onAbort))
    asking.on('upgrade', (response, socket, head) => {
      signal.removeEventListener('abort', onAbort)
      resolve({ response, socket, head })
    })
    asking.on('response', (response) => refused(response, signal).then(reject, reject))
    asking.on('error', (error) => reject(new KubeletRefusal(502, `the container runtime broke off: ${error.message}`)))
    asking.end()
  })
}

async function refused(response: IncomingMessage, signal: AbortSignal): Promise<KubeletRefusal> {
  const text = (await readBody(response, MOST_REFUSAL_BYTES, signal)).toString()
  return new KubeletRefusal(response.statusCode ?? 502, text.trim() || 'the container runtime refused the stream')
}

function answerHead({ rawHeaders }: IncomingMessage): string {
  let head = 'HTTP/1.1 101 Switching Protocols\r\n'
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) head += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`
  return `${head}\r\n`
}

/** Each to the other, at the pace of the slower one, until both have left; what was sent before an end still arrives. */
async function join(caller: Duplex, runtime: Duplex, { clock }: ServerPorts, signal: AbortSignal): Promise<void> {
  const destroy = () => {
    caller.destroy()
    runtime.destroy()
  }
  const ended = Promise.withResolvers<void>()
  for (const each of [caller, runtime]) {
    // A connection that breaks is how most of them end.
    each.on('error', () => ended.resolve())
    each.on('end', () => ended.resolve())
  }
  const left = Promise.all([closed(caller), closed(runtime)])
  signal.addEventListener('abort', destroy, { once: true })
  caller.pipe(runtime)
  runtime.pipe(caller)
  runtime.on('end', () => {
    caller.unpipe(runtime)
    caller.resume()
  })
  // Also where it broke off: what came of it is passed on.
  runtime.on('close', () => caller.end())
  caller.on('close', () => runtime.destroy())
  if (signal.aborted) destroy()
  await Promise.race([ended.promise, left])
  {
    using _timer = clock.after(LEAVE, destroy)
    await left
  }
  signal.removeEventListener('abort', destroy)
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => (stream.closed ? resolve() : stream.once('close', () => resolve())))
}
