import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest, type RequestOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { type Clock, seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { createAccessModule } from '../access/module.ts'
import { createAuthorityModule } from '../authority/module.ts'
import { createStreamServerModule, type StreamServerOptions } from '../cloudstream/stream-server.ts'
import { createInformer, NODES } from '../kubernetes/index.ts'
import { FakeKubernetes } from './fake-kubernetes.ts'
import { FakeTunnels } from './fake-tunnels.ts'

const HOST = '127.0.0.1'
/** Whose token is good, and for what (`verb subresource`). */
const RIGHTS: Readonly<Record<string, readonly string[]>> = {
  root: ['get proxy', 'create proxy', 'get stats', 'get metrics', 'get pods', 'get healthz'],
  scraper: ['get metrics', 'get stats'],
  nobody: [],
}

export interface AskOptions {
  readonly port?: number
  readonly method?: string
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly serverName?: string
}

/** The stream server on loopback, over tunnels and a Kubernetes API that are played; `kubelet` answers for each node. */
export async function startStreamCloud(
  t: TestContext,
  options: Partial<StreamServerOptions> & {
    readonly kubernetes?: FakeKubernetes
    readonly metrics?: Metrics
    readonly clock?: Clock
  } = {},
) {
  const { kubernetes = new FakeKubernetes(), metrics = silentMetrics, clock = systemClock, ...more } = options
  const tunnels = new FakeTunnels()
  const ports = { kubernetes, clock, random: systemRandom, log: silentLogger, metrics }
  kubernetes.answerReview = review
  const clients = await testAuthority({ commonName: 'cluster' })
  const caller = createAccessModule({ pem: clients.certificatePem }, ports)
  const authority = createAuthorityModule({ names: [HOST], certificateDays: 1 }, ports)
  const nodes = createInformer(NODES, {}, ports)
  const connected = new Set<string>()
  const server = createStreamServerModule(
    { host: HOST, port: 0, nodes: { by: 'ports', address: HOST }, perCaller: 20, altogether: 50, ...more },
    { ...ports, tunnels, caller, authority, nodes, isConnected: (node) => connected.has(node) },
  )
  const onCrash = (error: unknown) => {
    throw error
  }
  const scope = createScope('stream', { clock, log: silentLogger, deadline: seconds(5), onCrash })
  t.after(() => scope[Symbol.asyncDispose]())
  scope.run((signal) => nodes.run(signal))
  for (const module of [authority, caller, server]) await module.start(scope)
  const ca = authority.current.caPem

  const connectionTo = (
    { port = server.port, method = 'GET', token, headers, serverName }: AskOptions,
    path: string,
  ) => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` }
    const to: RequestOptions = { host: HOST, port, path, method, ca, agent: false }
    return {
      ...to,
      servername: 'localhost',
      ...(serverName ? { servername: serverName, checkServerIdentity: () => undefined } : {}),
      headers: { ...authorization, ...headers },
    }
  }
  /** The head of an answer. */
  const open = async (
    path: string,
    asked: AskOptions = {},
    identity: { key?: string; cert?: string } = {},
  ): Promise<IncomingMessage> => {
    const request = httpsRequest({ ...connectionTo(asked, path), ...identity })
    request.on('error', () => undefined).end()
    const [response] = await once(request, 'response', { signal: AbortSignal.timeout(20_000) })
    return response
  }
  return {
    ...{ kubernetes, tunnels, nodes, server, scope, ca, connected },
    /** A client certificate of the cluster. */
    client: async (name: string) => {
      const { key, cert } = await testIdentity(clients, { commonName: name }, ['clientAuth'])
      return { key, cert }
    },
    /** Gives the node a tunnel to a kubelet. */
    connect(node: string, kubelet: FakeKubelet) {
      const http = createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => kubelet.answer(request, response))
      http.on('upgrade', (request: IncomingMessage, socket: Duplex, first: Buffer) =>
        kubelet.upgrade?.(request, socket, first),
      )
      tunnels.connect(node, (stream) => void http.emit('connection', stream))
    },
    open,
    async ask(path: string, asked: AskOptions = {}, identity: { key?: string; cert?: string } = {}) {
      const response = await open(path, asked, identity)
      return { status: response.statusCode, text: await text(response), headers: response.headers }
    },
    /** The stream that an upgrade has led to. */
    async upgrade(
      path: string,
      asked: AskOptions = {},
    ): Promise<{ answer: IncomingMessage; stream: Duplex; first: Buffer }> {
      const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', ...asked.headers }
      const request = httpsRequest(connectionTo({ method: 'POST', token: 'root', ...asked, headers }, path))
      request.end()
      const [answer, stream, first] = await once(request, 'upgrade', { signal: AbortSignal.timeout(20_000) })
      return { answer, stream, first }
    },
  }
}

export interface FakeKubelet {
  answer(request: IncomingMessage, response: ServerResponse): void
  upgrade?(request: IncomingMessage, socket: Duplex, first: Buffer): void
}

function review(kind: string, spec: JsonObject): JsonObject {
  if (kind === 'TokenReview') {
    const name = String(spec['token'])
    return name in RIGHTS ? { authenticated: true, user: { username: name, groups: [] } } : {}
  }
  const attributes = Object(spec['resourceAttributes'])
  const isNode = attributes.group === '' && attributes.resource === 'nodes' && /^(gateway-|$)/.test(attributes.name)
  return {
    allowed: isNode && RIGHTS[String(spec['user'])]?.includes(`${attributes.verb} ${attributes.subresource}`) === true,
  }
}
