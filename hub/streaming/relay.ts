import type { IncomingMessage } from 'node:http'
import { type Duplex, pipeline, Transform } from 'node:stream'
import { createWebSocketStream } from 'ws'
import { type Clock, type Duration, seconds, Watchdog } from '../../platform/time/index.ts'
import type { UpgradeAnswer } from './ask-upgrade.ts'
import { TUNNEL_PREFIX, tunnelProtocols, type UpgradeExchange } from './exchange.ts'
import { IDLE_WITHIN } from './idle.ts'
import { acceptWebSocket } from './web-socket.ts'

export interface RelayOptions {
  readonly clock: Clock
  /** Until it ends where nothing moves; default 4 h. */
  readonly idleWithin?: Duration
}

const ANSWER_WITHIN = seconds(10)
const MOST_LISTENERS = 32

/**
 * Hands the answer to an upgrade on to the client, and then every byte in both directions until one side ends. An answer
 * without an upgrade is handed on, too. Settles when it is over; both sockets are closed then.
 */
export async function relayUpgrade(
  { socket, head }: Pick<UpgradeExchange, 'socket' | 'head'>,
  answer: UpgradeAnswer,
  options: RelayOptions,
  signal: AbortSignal,
): Promise<void> {
  socket.write(headOf(answer.response))
  if (!answer.isUpgraded) return await relayAnswer(socket, answer, options, signal)
  if (answer.head.length > 0) socket.write(answer.head)
  if (head.length > 0) answer.socket.write(head)
  await joined(socket, answer.socket, options, signal)
}

/**
 * The same for SPDY that goes through a WebSocket at the client (`SPDY/3.1+portforward.k8s.io`): `answer` is that to the
 * request for SPDY.
 */
export async function relayTunnel(
  exchange: UpgradeExchange,
  answer: UpgradeAnswer,
  options: RelayOptions,
  signal: AbortSignal,
): Promise<void> {
  if (!answer.isUpgraded) return await relayUpgrade(exchange, answer, options, signal)
  const chosen = String(answer.response.headers['x-stream-protocol-version'] ?? tunnelProtocols(exchange.request)[0])
  const webSocket = await acceptWebSocket(exchange, `${TUNNEL_PREFIX}${chosen.trim()}`)
  if (!webSocket) {
    answer.socket.destroy()
    return
  }
  const client = createWebSocketStream(webSocket)
  webSocket.resume()
  if (answer.head.length > 0) client.write(answer.head)
  await joined(client, answer.socket, options, signal)
}

/** The head of an answer as it came. */
function headOf({ statusCode, statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = [`HTTP/1.1 ${statusCode} ${statusMessage}`]
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const [name = '', value = ''] = rawHeaders.slice(index, index + 2)
    // The body comes in the form in which Node.js has read it, and the connection ends with it.
    if (statusCode !== 101 && /^(transfer-encoding|connection|keep-alive)$/i.test(name)) continue
    lines.push(`${name}: ${value}`)
  }
  if (statusCode !== 101) lines.push('Connection: close')
  return `${lines.join('\r\n')}\r\n\r\n`
}

async function relayAnswer(
  socket: Duplex,
  { response, socket: from }: UpgradeAnswer,
  { clock }: RelayOptions,
  signal: AbortSignal,
): Promise<void> {
  const over = Promise.withResolvers<void>()
  const end = () => {
    from.destroy()
    socket.destroy()
    over.resolve()
  }
  using _timer = clock.after(ANSWER_WITHIN, end)
  signal.addEventListener('abort', end, { once: true })
  socket.once('close', end)
  pipeline(response, socket, () => {
    from.destroy()
    over.resolve()
  })
  await over.promise
  signal.removeEventListener('abort', end)
}

async function joined(
  client: Duplex,
  node: Duplex,
  { clock, idleWithin = IDLE_WITHIN }: RelayOptions,
  signal: AbortSignal,
): Promise<void> {
  const over = Promise.withResolvers<void>()
  const end = () => over.resolve()
  using idle = new Watchdog(clock, idleWithin, end)
  const watched = () =>
    new Transform({
      transform(chunk, _encoding, done) {
        idle.heard()
        done(null, chunk)
      },
    })
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  // Both directions listen to both ends.
  for (const end of [client, node]) end.setMaxListeners(MOST_LISTENERS)
  // As upstream: the end of one direction is the end of both, once all of it has arrived.
  pipeline(client, watched(), node, end)
  pipeline(node, watched(), client, end)
  await over.promise
  signal.removeEventListener('abort', end)
  client.destroy()
  node.destroy()
}
