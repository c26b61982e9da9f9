import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createServer as createTcpServer, type Socket, connect as tcpConnect } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import { WebSocket } from 'ws'
import { createMetrics } from '../../../../platform/health/index.ts'
import { silentLogger } from '../../../../platform/log/index.ts'
import { openStore } from '../../../../platform/store/index.ts'
import { systemClock } from '../../../../platform/time/index.ts'
import { type Frame, type Json, type Rule, serviceAnswerContent } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { dialTunnel } from '../../../tunnel/index.ts'
import { LEASES, RULE_ENDPOINTS, RULES } from '../../kubernetes/index.ts'
import { FakeKubernetes } from '../../testing/fake-kubernetes.ts'
import { certificateBetween, join, startTlsCloud, type TlsCloud } from '../../testing/tls-cloud.ts'
import { ENDPOINTS, rule } from '../testing/rules.ts'
import { routerStoreDomain } from '../upward/spool-store.ts'

const HOST = '127.0.0.1'
const LEASE = { namespace: 'kubeedge', name: 'edge-1' }
const MIB = 1024 * 1024
const lights = rule('rest->eventbus', { path: '/lights' }, { topic: 'lights/cmd' })
const state = rule('rest->servicebus', { path: 'state' }, { path: '/api' }, { name: 'state' })
const secret = rule('rest->eventbus', { path: '/secret' }, { topic: 'secret' }, { name: 'secret' })
const doors = rule(
  'eventbus->eventbus',
  { node_name: 'edge-2', topic: 'doors/+' },
  { node_name: 'edge-1', topic: 'bell/ä b' },
  { name: 'doors' },
)

const turn = () => new Promise((resolve) => setImmediate(resolve))
/** Until what the API has is seen. */
async function settled() {
  for (let round = 0; round < 50; round++) await turn()
}

type Answers = (frame: Frame) => Json | undefined

interface Half extends TlsCloud {
  readonly metrics: ReturnType<typeof createMetrics>
  readonly port: number
}

/** Two cloud halves with Routers on one Kubernetes. `ann` may call every rule but `secret`. */
async function startTwo(t: TestContext, rules: readonly Rule[] = [lights, state, secret, doors]) {
  const kubernetes = new FakeKubernetes()
  const reviews: string[] = []
  kubernetes.answerReview = (kind, spec) => {
    reviews.push(kind)
    const attributes: unknown = Object(spec['resourceAttributes']).name
    if (kind !== 'TokenReview') return { allowed: attributes !== 'secret' }
    return { authenticated: spec['token'] === 'ann', user: { username: 'ann', groups: [] } }
  }
  for (const each of ENDPOINTS) await kubernetes.create(RULE_ENDPOINTS, 'shop', each)
  for (const each of rules) await kubernetes.create(RULES, 'shop', each)
  const start = async (): Promise<Half> => {
    const store = await openStore(`${await temporaryFolder()}/router.db`, [routerStoreDomain], {
      clock: systemClock,
      log: silentLogger,
    })
    const metrics = createMetrics()
    const options = { host: HOST, port: 0, plainHttp: false, replicas: { host: HOST, port: 0, address: HOST } }
    const cloud = await startTlsCloud(t, { kubernetes, metrics, router: { options, store } })
    t.after(() => store[Symbol.asyncDispose]())
    return { ...cloud, metrics, port: cloud.router?.port ?? 0 }
  }
  const a = await start()
  const b = await start()
  return { kubernetes, reviews, a, b }
}

/** An edge at this half that answers what it is asked, once its claim is known to both. */
async function connectEdge(t: TestContext, cloud: TlsCloud, node: string, answers: Answers) {
  const identity = await join(cloud, node)
  const socket = new WebSocket(`wss://${HOST}:${cloud.cloudhub.port}/`, {
    ...{ ...identity, ca: cloud.authority.caPem },
    headers: { node_id: node, 'x-skerry-wire': '1', 'x-skerry-epoch': 'db-1' },
  })
  t.after(() => socket.terminate())
  const got: Frame[] = []
  socket.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data))
    if (frame.route.group !== 'user') return
    got.push(frame)
    const content = answers(frame)
    if (content === undefined) return
    const isError = typeof content === 'string' && content.startsWith('HUB_')
    const header = { msg_id: `${node}-${got.length}`, parent_msg_id: frame.header.msg_id, timestamp: 1 }
    const route = { ...frame.route, operation: isError ? 'error' : 'response' }
    socket.send(JSON.stringify({ header, route, content }))
  })
  socket.on('error', () => undefined)
  await once(socket, 'open')
  return { socket, got, identity }
}

/** Until the Lease names where the session is, and the other half has seen it. */
async function claimed({ kubernetes }: { readonly kubernetes: FakeKubernetes }, half: Half, node = 'edge-1') {
  const place = half.router?.replica
  assert.ok(place)
  for (;;) {
    const lease = await kubernetes.get(LEASES, { ...LEASE, name: node })
    if (lease?.metadata.annotations?.['skerry.dev/replica']?.startsWith(`${place} `)) break
    await turn()
  }
  await settled()
}

interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | number>>
  readonly token?: string
}

function open(half: Half, path: string, { method = 'POST', headers = {}, token = 'ann' }: Call = {}) {
  const authorization = token === '' ? {} : { authorization: `Bearer ${token}` }
  return httpsRequest({
    ...{ host: HOST, port: half.port, path, method, agent: false, ca: half.authority.caPem },
    headers: { ...authorization, ...headers },
  })
}

async function call(half: Half, path: string, body = 'on', asked: Call = {}) {
  const request = open(half, path, asked)
  request.end(body)
  const [answer]: IncomingMessage[] = await once(request, 'response')
  assert.ok(answer)
  const said = await text(answer)
  return { status: answer.statusCode, error: answer.headers['x-skerry-error'], said, headers: answer.headers }
}

test('a call that reaches the replica without the node is passed on to the one that has it, once, after its caller was let in there', async (t) => {
  const both = await startTwo(t)
  const { a, b, reviews } = both
  const service = serviceAnswerContent({ status: 418, headers: { 'x-pot': ['1'] }, body: btoa('tea') })
  const edge = await connectEdge(t, b, 'edge-1', ({ route }) => (route.operation === 'publish' ? 'OK' : service))
  await claimed(both, b)
  const published = await call(a, '/edge-1/shop/lights/hall%20%C3%A4')
  assert.deepEqual([published.status, published.said], [200, 'message delivered'])
  assert.equal((await call(a, '/edge-1/shop/lights', 'on', { headers: { 'x-skerry-wait': 'none' } })).status, 202)
  const got = await call(a, '/edge-1/shop/state/now?x=1', 'in', { method: 'PUT', headers: { 'x-mine': 'yes' } })
  assert.deepEqual([got.status, got.said, got.headers['x-pot']], [418, 'tea', '1'])
  assert.deepEqual(
    edge.got.map(({ route }) => `${route.operation} ${route.resource}`),
    ['publish lights/cmd/hall ä', 'publish lights/cmd', 'PUT 8080:/api/now?x=1'],
  )
  assert.deepEqual(edge.got[2]?.content, {
    header: { 'x-mine': ['yes'] },
    body: Buffer.from('in').toString('base64'),
    method: 'PUT',
    url: '',
    skerry: { deadlineMs: 30_000 },
  })
  assert.match(await a.metrics.text(), /skerry_router_passed_on_total\{kind="publish"\} 2/)
  // The first replica alone asks who calls, and counts.
  assert.match(await a.metrics.text(), /skerry_router_calls_total\{target="servicebus",status="418"\} 1/)
  assert.doesNotMatch(await b.metrics.text(), /skerry_router_calls_total\{target/)
  assert.equal(reviews.filter((kind) => kind === 'TokenReview').length, 1)
  assert.equal((await call(a, '/edge-1/shop/lights', 'on', { token: 'eve' })).status, 401)
  assert.equal((await call(a, '/edge-1/shop/secret')).status, 403)
  assert.equal(edge.got.length, 3)
})

test('what the node refuses, and that it is away everywhere, is told as by the replica that has it', async (t) => {
  const both = await startTwo(t)
  const { a, b } = both
  const edge = await connectEdge(t, b, 'edge-1', () => 'HUB_TOPIC_REFUSED: no such topic')
  await claimed(both, b)
  const refused = await call(a, '/edge-1/shop/lights')
  assert.deepEqual([refused.status, refused.error], [502, 'HUB_TOPIC_REFUSED'])
  edge.socket.close()
  while (b.cloudhub.hub.isConnected('edge-1')) await turn()
  for (const path of ['/edge-1/shop/lights', '/edge-1/shop/state', '/edge-9/shop/lights']) {
    const away = await call(a, path)
    assert.deepEqual([away.status, away.error], [503, 'HUB_NODE_AWAY'], path)
  }
})

test('what one node says to another goes over to the replica of the other, also when that comes later', async (t) => {
  const both = await startTwo(t)
  const { a, b } = both
  const speaker = await connectEdge(t, a, 'edge-2', () => undefined)
  const route = { source: 'bus', group: 'user', operation: 'upload', resource: 'shop/doors/1' }
  const header = { msg_id: 'm1', timestamp: 1 }
  const content = { skerry: { base64: Buffer.from([0, 255]).toString('base64') } }
  speaker.socket.send(JSON.stringify({ header, route, content }))
  const heard = Promise.withResolvers<Frame>()
  await connectEdge(t, b, 'edge-1', (frame) => {
    heard.resolve(frame)
    return 'OK'
  })
  const frame = await heard.promise
  assert.deepEqual([frame.route.resource, frame.content], ['bell/ä b', content])
})

/** A node's ServiceBus behind a tunnel to this half. */
async function openTunnel(
  t: TestContext,
  half: Half,
  { identity }: Awaited<ReturnType<typeof connectEdge>>,
  handler: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const services = createServer(handler)
  const stopping = new AbortController()
  const tunnel = await dialTunnel(
    {
      ...{ server: `${HOST}:${half.tunnel?.port}`, nodeName: 'edge-1', address: HOST },
      identity: async () => ({ ca: half.authority.caPem, certificate: identity.cert, key: identity.key }),
      ...{ clock: systemClock, log: silentLogger },
      handler: () => (stream: Duplex) => void services.emit('connection', stream),
    },
    stopping.signal,
  )
  t.after(() => tunnel.close('test'))
  while (!half.tunnel?.tunnels.isOpen('edge-1')) await turn()
}

test('bodies stream through both replicas, and a service that does not read holds the caller back', async (t) => {
  const both = await startTwo(t, [
    rule(
      'rest->servicebus',
      { path: 'state' },
      { path: '/api' },
      { annotations: { 'skerry.dev/max-body-bytes': String(500 * MIB) } },
    ),
  ])
  const { a, b } = both
  const edge = await connectEdge(t, b, 'edge-1', () => undefined)
  const asked = Promise.withResolvers<{ request: IncomingMessage; response: ServerResponse }>()
  await openTunnel(t, b, edge, (request, response) => asked.resolve({ request, response }))
  await claimed(both, b)
  const total = 24 * MIB
  const sending = open(a, '/edge-1/shop/state', { headers: { 'content-length': total } })
  const chunk = Buffer.alloc(256 * 1024, 7)
  let sent = 0
  const more = () => {
    while (sent < total) {
      sent += chunk.length
      if (!sending.write(chunk)) return void sending.once('drain', more)
    }
    sending.end()
  }
  more()
  const { request, response } = await asked.promise
  assert.equal(request.headers['x-skerry-deadline-ms'], '30000')
  assert.equal(request.headers['x-skerry-hop'], undefined)
  // Nobody reads: once all buffers on the way are full, nothing more is taken.
  for (let before = -1, calm = 0; calm < 20; before = sent) {
    await pause(25)
    calm = sent === before ? calm + 1 : 0
  }
  assert.ok(sent < total, `${sent} of ${total} bytes were taken though nobody read`)
  const answered = once(sending, 'response')
  response.writeHead(200, { 'x-service': 'here' })
  request.pipe(response)
  const [answer]: IncomingMessage[] = await answered
  assert.ok(answer)
  let bytes = 0
  for await (const part of answer) bytes += part.length
  assert.deepEqual([bytes, answer.headers['x-service']], [total, 'here'])
})

/** A relay before a replica, as a network is: what passes can be broken off. */
async function relayTo(t: TestContext, place: string) {
  const sockets = new Set<Socket>()
  const server = createTcpServer((near) => {
    const far = tcpConnect(Number(place.split(':')[1]), HOST)
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one)
      one.on('error', () => undefined).pipe(other)
    }
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  const stop = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  t.after(stop)
  const address = server.address()
  return { place: `${HOST}:${typeof address === 'object' ? address?.port : ''}`, stop }
}

async function leadTo({ kubernetes }: { readonly kubernetes: FakeKubernetes }, place: string) {
  const lease = await kubernetes.get(LEASES, LEASE)
  const annotations = { 'skerry.dev/replica': `${place} ${lease?.spec?.['holderIdentity']}` }
  await kubernetes.patch(LEASES, LEASE, { metadata: { annotations } }, { type: 'merge' })
  await settled()
}

test('a holder that dies in the middle of a call ends it at once; and one that is gone makes the node away', async (t) => {
  const both = await startTwo(t)
  const { a, b } = both
  const asked: (() => void)[] = []
  const edge = await connectEdge(t, b, 'edge-1', () => void asked.shift()?.())
  await claimed(both, b)
  for (const path of ['/edge-1/shop/lights', '/edge-1/shop/state']) {
    const relay = await relayTo(t, b.router?.replica ?? '')
    await leadTo(both, relay.place)
    const arrived = new Promise<void>((resolve) => asked.push(resolve))
    const waiting = call(a, path)
    await arrived
    relay.stop()
    const broken = await waiting
    // It may have arrived: who asks again has to know that.
    assert.deepEqual([broken.status, broken.error], [502, 'HUB_NODE_AWAY'], path)
    const gone = await call(a, path)
    assert.deepEqual([gone.status, gone.error, gone.headers['retry-after']], [503, 'HUB_NODE_AWAY', '5'], path)
  }
  assert.equal(edge.got.length, 2)
  assert.match(await a.metrics.text(), /skerry_router_passed_on_total\{kind="unreachable"\} 2/)
})

test('an answer that breaks off between the replicas is broken off for the caller, and never looks whole', async (t) => {
  const both = await startTwo(t)
  const { a, b } = both
  const edge = await connectEdge(t, b, 'edge-1', () => undefined)
  await openTunnel(t, b, edge, (_request, response) => void response.writeHead(200).write('half of it'))
  await claimed(both, b)
  const relay = await relayTo(t, b.router?.replica ?? '')
  await leadTo(both, relay.place)
  const request = open(a, '/edge-1/shop/state')
  request.end('in')
  const [answer]: IncomingMessage[] = await once(request, 'response')
  assert.ok(answer)
  const [first] = await once(answer, 'data')
  assert.equal(String(first), 'half of it')
  relay.stop()
  await assert.rejects(text(answer), { code: 'ECONNRESET' })
})

test('a claim of a replica that says no place, or one of a session before, leads nowhere', async (t) => {
  const both = await startTwo(t)
  const { a, b, kubernetes } = both
  await connectEdge(t, b, 'edge-1', () => 'OK')
  await claimed(both, b)
  // As a replica of an older version claims: it knows nothing of the annotation.
  await kubernetes.patch(LEASES, { ...LEASE }, { spec: { holderIdentity: 'another' } }, { type: 'merge' })
  await settled()
  const away = await call(a, '/edge-1/shop/lights')
  assert.deepEqual([away.status, away.error], [503, 'HUB_NODE_AWAY'])
})

/** What whoever shows this is answered at the listener for replicas; nothing where it is cut off. */
async function askAsReplica(
  half: Half,
  headers: Readonly<Record<string, string>>,
  identity: { readonly cert?: string; readonly key?: string },
): Promise<number | undefined> {
  const [host = '', port = ''] = half.router?.replica?.split(':') ?? []
  const socket = tlsConnect({
    host,
    port: Number(port),
    ca: half.authority.caPem,
    ...identity,
    checkServerIdentity: () => undefined,
  })
  const request = plainRequest({
    ...{ createConnection: () => socket, method: 'POST', path: '/publish/lights%2Fcmd', headers },
  })
  const answered = new Promise<number | undefined>((resolve) => {
    request.on('response', (answer) => resolve(answer.resume().statusCode))
    request.on('error', () => resolve(undefined))
    socket.on('error', () => resolve(undefined))
  })
  request.end('on')
  return await answered
}

test('nobody but a replica gets a word in at the listener for replicas: no node, no client, not even the cloud’s own serving certificate', async (t) => {
  const both = await startTwo(t)
  const { a, b } = both
  const edge = await connectEdge(t, b, 'edge-1', () => 'OK')
  const headers = {
    ...{ 'x-skerry-hop': 'publish', 'x-skerry-node': 'edge-1', 'x-skerry-wait': 'delivered' },
    ...{ 'x-skerry-deadline-ms': '5000', 'x-skerry-max-body-bytes': '100' },
  }
  assert.equal(await askAsReplica(b, headers, {}), undefined)
  assert.equal(await askAsReplica(b, headers, edge.identity), undefined)
  const now = Date.parse(new Date().toISOString())
  const node = await certificateBetween(b, 'skerry:cloud-replica', now - 60_000, now + 600_000)
  assert.equal(await askAsReplica(b, headers, node), undefined)
  const { certificatePem: cert, keyPem: key } = a.authority.serving
  assert.equal(await askAsReplica(b, headers, { cert, key }), undefined)
  assert.equal(edge.got.length, 0)
  assert.match(await b.metrics.text(), /skerry_router_strangers_total\{cause="no-replica"\} [2-9]/)
  const own = await a.authority.issueReplica()
  const replica = { cert: own.certificatePem, key: own.keyPem }
  assert.equal(await askAsReplica(b, headers, replica), 200)
  assert.equal(edge.got.length, 1)
  const { 'x-skerry-hop': _hop, ...bare } = headers
  assert.equal(await askAsReplica(b, bare, replica), 400)
  assert.equal(await askAsReplica(b, { ...headers, 'x-skerry-deadline-ms': 'soon' }, replica), 400)
})

test('a replica passes nothing on a second time, and a caller that plays one is refused', async (t) => {
  const both = await startTwo(t)
  const { a, b } = both
  const edge = await connectEdge(t, b, 'edge-1', () => 'OK')
  await claimed(both, b)
  const own = await a.authority.issueReplica()
  const headers = {
    ...{ 'x-skerry-hop': 'publish', 'x-skerry-node': 'edge-1', 'x-skerry-wait': 'delivered' },
    ...{ 'x-skerry-deadline-ms': '5000', 'x-skerry-max-body-bytes': '100' },
  }
  // A does not have the node and knows who has: what was passed on to it ends there.
  assert.equal(await askAsReplica(a, headers, { cert: own.certificatePem, key: own.keyPem }), 200)
  assert.equal(edge.got.length, 0)
  for (const half of [a, b]) {
    const forged = await call(half, '/edge-1/shop/lights', 'on', { headers })
    assert.deepEqual([forged.status, forged.error], [403, 'HUB_HOP_FORGED'])
  }
  assert.equal(edge.got.length, 0)
  // Whoever listens at the address of a claim has to be a replica, too: an address of a pod is used again.
  await leadTo(both, `${HOST}:${b.cloudhub.port}`)
  const away = await call(a, '/edge-1/shop/lights')
  assert.deepEqual([away.status, away.error], [503, 'HUB_NODE_AWAY'])
})
