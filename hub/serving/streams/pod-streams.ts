import type { OutgoingHttpHeaders } from 'node:http'
import { nameOf, namespaceOf } from '../../kube/object/index.ts'
import { badRequest, unreasoned } from '../../kube/status.ts'
import {
  askUpgrade,
  isCommandOverWebSocket,
  isTunnelOverWebSocket,
  relayTunnel,
  relayUpgrade,
  translateCommand,
  tunnelProtocols,
  type UpgradeAnswer,
} from '../../streaming/index.ts'
import type { Relay } from '../answers/answer.ts'
import { takeSocket } from '../http/take-socket.ts'
import type { SentRequest } from '../requests/resource-request.ts'
import { dialError } from './dial-error.ts'
import { upgradeHeaders } from './forwarded-headers.ts'
import type { NodePlace } from './node-place.ts'
import { containerOf, nodeOf, podAt } from './pod-place.ts'
import { flagIn } from './query-values.ts'
import type { StreamPorts, StreamRequest } from './stream-ports.ts'

/** What of a pod is asked for. */
interface Target {
  readonly place: NodePlace
  /** Of the kubelet, without a query. */
  readonly path: string
  readonly query: URLSearchParams
}

/** `exec` and `attach` of a pod. Throws a Status; what goes wrong later is told in the stream, as far as it has words for it. */
export async function podCommand(kind: 'exec' | 'attach', asked: StreamRequest, ports: StreamPorts): Promise<Relay> {
  const query = asked.url.searchParams
  const pod = podAt(ports.store, asked.path)
  const container = containerOf(pod, query.get('container') ?? '')
  const place = placeOf(asked, ports)
  const path = `/${kind}/${namespaceOf(pod)}/${nameOf(pod)}/${container}`
  const streams = {
    stdin: flagIn(query, 'stdin'),
    stdout: flagIn(query, 'stdout'),
    stderr: flagIn(query, 'stderr'),
    tty: flagIn(query, 'tty'),
  }
  const command = kind === 'exec' ? query.getAll('command') : []
  const asKubelet = new URLSearchParams()
  for (const word of command) asKubelet.append('command', word)
  if (streams.stderr) asKubelet.set('error', '1')
  if (streams.stdin) asKubelet.set('input', '1')
  if (streams.stdout) asKubelet.set('output', '1')
  if (streams.tty) asKubelet.set('tty', '1')
  if (!isCommandOverWebSocket(asked.sent)) return await passed(asked, ports, { place, path, query: asKubelet })
  const explain = (error: unknown) =>
    isOfConnection(error)
      ? `error sending request: Post "${place.url}${path}?${asKubelet}": ${dialError(error, place)}`
      : undefined
  const room = ports.room.take(asked.user)
  return relayed(
    room,
    () => undefined,
    async (exchange, signal) => {
      const taken = takeSocket(exchange)
      if (!taken) return
      const { connect } = place
      const target = { connect, path, command, streams, explain, clock: ports.clock }
      await translateCommand({ request: exchange.request, ...taken }, target, signal)
    },
  )
}

/** `portforward` of a pod. */
export async function podForward(asked: StreamRequest, ports: StreamPorts): Promise<Relay> {
  const pod = podAt(ports.store, asked.path)
  const place = placeOf(asked, ports)
  const query = new URLSearchParams()
  const wanted = asked.url.searchParams.getAll('ports')
  const bad = wanted.find((port) => !/^[+-]?\d+$/.test(port))
  if (bad !== undefined) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(bad)}: invalid syntax`)
  if (wanted.length > 0) query.set('port', wanted.join(','))
  return await passed(asked, ports, { place, path: `/portForward/${namespaceOf(pod)}/${nameOf(pod)}`, query })
}

function placeOf(asked: StreamRequest, ports: StreamPorts): NodePlace {
  const node = nodeOf(podAt(ports.store, asked.path))
  if (node === '') throw badRequest(`pod ${asked.path.name} does not have a host assigned`)
  return ports.locate(node, { missedAs: 'pods' })
}

/** To the kubelet as it comes, but that SPDY in a WebSocket goes on without it. */
async function passed(asked: StreamRequest, ports: StreamPorts, { place, path, query }: Target): Promise<Relay> {
  const { sent, signal } = asked
  if (!isUpgrade(sent)) throw badRequest('Upgrade request required')
  const isTunnel = path.startsWith('/portForward/') && isTunnelOverWebSocket(sent)
  const text = query.toString()
  const room = ports.room.take(asked.user)
  let answer: UpgradeAnswer
  try {
    answer = await askUpgrade(
      {
        ...{ connect: place.connect, clock: ports.clock },
        method: isTunnel ? 'POST' : sent.method,
        path: text === '' ? path : `${path}?${text}`,
        headers: isTunnel ? tunnelHeaders(sent) : upgradeHeaders(sent),
      },
      signal,
    )
  } catch (error) {
    room[Symbol.dispose]()
    if (signal.aborted) throw error
    throw unreasoned(`error dialing backend: ${dialError(error, place)}`, error)
  }
  const drop = () => answer.socket.destroy()
  return relayed(
    room,
    drop,
    async (exchange, ended) => {
      const taken = takeSocket(exchange)
      if (!taken) {
        drop()
        return
      }
      const relay = isTunnel ? relayTunnel : relayUpgrade
      await relay({ request: exchange.request, ...taken }, answer, { clock: ports.clock }, ended)
    },
    answer.response.statusCode,
  )
}

function tunnelHeaders(sent: SentRequest): OutgoingHttpHeaders {
  const kept = Object.entries(upgradeHeaders(sent)).filter(([name]) => !name.startsWith('sec-websocket-'))
  return {
    ...Object.fromEntries(kept),
    upgrade: 'SPDY/3.1',
    'x-stream-protocol-version': [...tunnelProtocols(sent)],
    'content-length': 0,
  }
}

export function isUpgrade({ headers }: SentRequest): boolean {
  return (headers.connection ?? '').toLowerCase().includes('upgrade') && headers.upgrade !== undefined
}

function isOfConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code: unknown = Reflect.get(error, 'code')
  return code !== 'HUB_STREAM_REFUSED' && code !== 'HUB_STREAM_COMMAND'
}

/** Gives its room back when it is over. */
function relayed(room: Disposable, drop: () => void, relay: Relay['relay'], code = 101): Relay {
  return {
    code,
    drop() {
      drop()
      room[Symbol.dispose]()
    },
    async relay(exchange, signal) {
      using _room = room
      await relay(exchange, signal)
    },
  }
}
