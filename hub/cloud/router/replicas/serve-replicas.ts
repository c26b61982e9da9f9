import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Metrics, silentMetrics } from '../../../../platform/health/index.ts'
import { countRefusals, type HttpsServer, sendText, serveHttps } from '../../../../platform/http/index.ts'
import { describeError } from '../../../../platform/lifecycle/index.ts'
import { boundedLogger, type Logger } from '../../../../platform/log/index.ts'
import { type Clock, minutes, seconds } from '../../../../platform/time/index.ts'
import type { CloudAuthority, ServingCertificate } from '../../authority/cloud-authority.ts'
import type { CloudHub } from '../../cloudhub/delivery.ts'
import { ConnectionBounds } from '../../peers/connection-bounds.ts'
import { peerName } from '../../peers/peer-name.ts'
import { answerOf, CallRefusal } from '../router-error.ts'
import { sendRefusal } from '../serving/answers.ts'
import { type ServiceCallPorts, ServiceCalls } from '../serving/service-calls.ts'
import { wholeBody } from '../serving/whole-body.ts'
import { publishAt } from '../targets/event-bus.ts'
import { type Hop, hopOf } from './hop.ts'
import { failureText, outcomeText } from './publish-answer.ts'

export interface ReplicaServerPorts extends ServiceCallPorts {
  readonly hub: Pick<CloudHub, 'ask' | 'tell' | 'peerOf'>
  readonly authority: Pick<CloudAuthority, 'caPem' | 'isReplica'>
  readonly identity: ServingCertificate
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
}

const HANDSHAKE_WITHIN = seconds(5)
/** As at the Router: large bodies over slow links. */
const REQUEST_WITHIN = minutes(60)
const MOST_CONNECTIONS = 4096
/** Who has not shown that it is a replica. */
const WAITING = { perAddress: 64, altogether: 256 }
/** A topic of MQTT has 65535 bytes, each up to three letters in a path. */
const MOST_HEAD = 256 * 1024

/**
 * Takes calls that another replica has let in, and passes them to nodes that are connected here; never on to a third one. Who the
 * caller was and what it may do, the other one has seen to: so nobody but a replica gets a word in.
 */
export async function serveReplicas(
  at: { readonly host: string; readonly port: number },
  ports: ReplicaServerPorts,
): Promise<HttpsServer> {
  const { authority, identity, metrics = silentMetrics } = ports
  const log = boundedLogger(ports.log, ports)
  const refused = metrics.counter({
    name: 'skerry_router_strangers_total',
    help: 'Connections between replicas that were closed, by cause: no-replica showed another certificate, crowded had to make room.',
    labels: ['cause'],
  })
  const services = new ServiceCalls(ports)
  const replicas = new WeakSet<Socket>()
  const bounds = new ConnectionBounds({ ...WAITING, onClosed: () => refused.add(1, { cause: 'crowded' }) })
  const server = await serveHttps({
    ...{ at, log, headWithin: HANDSHAKE_WITHIN, requestWithin: REQUEST_WITHIN },
    ...{ maxConnections: MOST_CONNECTIONS, mostHead: MOST_HEAD, clock: ports.clock },
    onRefused: countRefusals(metrics, 'router-replicas'),
    tls: {
      ...{ cert: identity.certificatePem, key: identity.keyPem, ca: authority.caPem },
      ...{ requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
      handshakeTimeout: HANDSHAKE_WITHIN.milliseconds,
    },
    handler(request, response, signal) {
      // Node.js may have read a request by the time that its connection is cut off below.
      if (!replicas.has(request.socket)) return void request.socket.destroy()
      return serve({ ...ports, services, log }, { request, response, signal })
    },
  })
  server.server.on('connection', (socket: Socket) => {
    const peer = peerName(socket)
    bounds.opened(peer, socket.remoteAddress, socket)
    socket.once('close', () => bounds.settled(peer))
  })
  server.server.on('secureConnection', (socket: TLSSocket) => {
    if (socket.authorized && authority.isReplica(socket.getPeerX509Certificate())) {
      replicas.add(socket)
      return bounds.settled(peerName(socket))
    }
    refused.add(1, { cause: 'no-replica' })
    log.warn('Whoever is no replica was turned away from the listener for replicas', { from: socket.remoteAddress })
    socket.destroy()
  })
  return server
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly signal: AbortSignal
}

type Ports = ReplicaServerPorts & { readonly services: ServiceCalls }

async function serve(ports: Ports, exchange: Exchange): Promise<void> {
  const { request, response, signal } = exchange
  try {
    const hop = hopOf(request)
    if (!hop)
      throw new CallRefusal({
        status: 400,
        code: 'HUB_HOP_MALFORMED',
        message: 'replicas do not write calls like this',
      })
    if (hop.kind === 'publish') return await publish(ports, hop, exchange)
    await ports.services.serve({ ...exchange, ...hop })
  } catch (error) {
    if (signal.aborted && response.destroyed) return
    const answer = answerOf(error)
    if (answer.code === 'PLATFORM_INTERNAL')
      ports.log.error('A call of another replica could not be served', { error: describeError(error) })
    sendRefusal(request, response, answer)
  }
}

async function publish(
  { hub, clock }: Ports,
  { node, topic, wait, limits }: Hop & { readonly kind: 'publish' },
  { request, response, signal }: Exchange,
): Promise<void> {
  const payload = await wholeBody(request, limits.maxBodyBytes, { clock, signal })
  const options = { wait, deadline: limits.timeout, signal }
  const text = await publishAt(hub, { node, topic, payload }, options).then(outcomeText, failureText)
  sendText(response, 200, 'application/json', text)
}
