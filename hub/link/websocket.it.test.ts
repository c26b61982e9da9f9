import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import { createServer as createTcpServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { loadKeyPair, pemOf } from '../../platform/certificates/index.ts'
import { type Authority, createCsr } from '../../platform/certificates/issuing/index.ts'
import { testAuthority, testIdentity } from '../../platform/certificates/testing/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { type Clock, seconds, systemClock } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import type { Frame } from '../../schemas/index.ts'
import { encodeFrame } from './frame-codec.ts'
import type { Link } from './link.ts'
import { createWebSocketDialer } from './websocket-dialer.ts'
import { createUpgradeAcceptor } from './websocket-server.ts'

const NODE = { commonName: 'system:node:edge-1', organizations: ['system:nodes'] }
const { signal } = new AbortController()

const frame = (id: string, content: Frame['content'] = null): Frame => ({
  header: { msg_id: id, timestamp: 1 },
  route: { operation: 'update' },
  content,
})

interface BenchOptions {
  readonly clock?: Clock
  readonly servedBy?: Authority
  readonly largestFrame?: number
  readonly cloudEpoch?: string
  readonly onUpgrade?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
}

/** A server with mutual TLS that accepts links, and a dialer for it. */
async function bench(t: TestContext, options: BenchOptions = {}) {
  const authority = await testAuthority()
  const log = memoryLogger()
  const clock = options.clock ?? systemClock
  const identity = await testIdentity(options.servedBy ?? authority, { commonName: 'cloud' }, ['serverAuth'], authority)
  const server = createServer({ ...identity, requestCert: true, rejectUnauthorized: true })
  const sockets = new Set<Duplex>()
  server.on('connection', (socket) => void sockets.add(socket))
  const accepted = Promise.withResolvers<Link>()
  const requests: IncomingMessage[] = []
  const { largestFrame, cloudEpoch, onUpgrade } = options
  const accept = createUpgradeAcceptor({
    ...{ clock, log },
    ...(largestFrame ? { largestFrame } : {}),
    ...(cloudEpoch ? { cloudEpoch } : {}),
  })
  server.on('upgrade', (request, socket, head) => {
    requests.push(request)
    if (onUpgrade) onUpgrade(request, socket, head)
    else accept(request, socket, head).then(accepted.resolve, accepted.reject)
  })
  const port = await listen(t, server, sockets)
  const client = await testIdentity(authority, NODE, ['clientAuth'])
  const dialer = createWebSocketDialer({
    server: `127.0.0.1:${port}`,
    path: '/project/edge-1/events',
    identity: async () => ({ ca: authority.certificatePem, certificate: client.cert, key: client.key }),
    clock,
    log,
  })
  return {
    port,
    authority,
    client,
    log,
    requests,
    accepted: accepted.promise,
    dial: () => dialer.dial(HEADERS, signal),
  }
}

const HEADERS = { node_id: 'edge-1', ConnectionUse: 'msg' }

async function listen(t: TestContext, server: Server, sockets: ReadonlySet<Duplex>): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const at = server.address()
  assert.ok(at !== null && typeof at === 'object')
  return at.port
}

async function take(link: Link, count: number): Promise<readonly Frame[]> {
  const taken: Frame[] = []
  if (count === 0) return taken
  for await (const each of link.frames) if (taken.push(each) === count) break
  return taken
}

test('frames cross in their order, both ways, and each end knows that the other is Skerry', async (t) => {
  const { requests, accepted, dial } = await bench(t)
  const edge = await dial()
  const cloud = await accepted
  const ids = Array.from({ length: 500 }, (_, index) => `f${index}`)
  const both = Promise.all([take(cloud, 500), take(edge, 500)])
  await Promise.all(ids.flatMap((id) => [edge.send(frame(id)), cloud.send(frame(id))]))
  for (const taken of await both)
    assert.deepEqual(
      taken.map(({ header }) => header.msg_id),
      ids,
    )
  assert.deepEqual([edge.isSkerry, cloud.isSkerry], [true, true])
  assert.equal(requests[0]?.url, '/project/edge-1/events')
  assert.equal(requests[0]?.headers['node_id'], 'edge-1')
  assert.equal(requests[0]?.headers['sec-websocket-extensions'], undefined)
  edge.close('enough')
  assert.equal(await cloud.closed, 'the peer closed the connection: enough')
})

test('the cloud says whose memory it has, to those that announce the skerry keys', async (t) => {
  const { port, authority, client, dial } = await bench(t, { cloudEpoch: 'memory-7' })
  const edge = await dial()
  assert.equal(edge.cloudEpoch, 'memory-7')
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, {
    ...client,
    ca: authority.certificatePem,
    headers: HEADERS,
  })
  const [response] = await once(socket, 'upgrade')
  const names = Object.keys(response.headers).filter((name) => name.includes('skerry'))
  assert.deepEqual(names, [])
  socket.on('error', () => undefined)
  socket.terminate()
  edge.close('enough')
  assert.equal((await (await bench(t)).dial()).cloudEpoch, '')
})

test('an edge that does not announce the skerry keys gets none, and what it sends is read in every form', async (t) => {
  const { port, authority, client, log, accepted } = await bench(t)
  const socket = new WebSocket(`wss://127.0.0.1:${port}/`, {
    ...client,
    ca: authority.certificatePem,
    headers: HEADERS,
  })
  await once(socket, 'open')
  const cloud = await accepted
  assert.equal(cloud.isSkerry, false)
  assert.deepEqual([socket.extensions, socket.protocol], ['', ''])
  const text = encodeFrame(frame('whole'))
  socket.send('no frame at all')
  socket.send('{"header":{}}')
  socket.send(`${text}\n`)
  socket.send(Buffer.from(encodeFrame(frame('binary'))))
  for (const [index, part] of [...encodeFrame(frame('fragmented'))].entries()) {
    socket.send(part, { fin: index === encodeFrame(frame('fragmented')).length - 1 })
  }
  const taken = await take(cloud, 3)
  assert.deepEqual(
    taken.map(({ header }) => header.msg_id),
    ['whole', 'binary', 'fragmented'],
  )
  assert.equal(log.messages('warn').length, 1)
  const answered = once(socket, 'message')
  await cloud.send(frame('answer'))
  const [data, isBinary] = await answered
  assert.deepEqual([isBinary, String(data)], [false, encodeFrame(frame('answer'))])
  socket.terminate()
  await cloud.closed
})

test('a frame of ten megabytes crosses, one beyond the limit closes its own link', async (t) => {
  const { accepted, dial } = await bench(t, { largestFrame: 11_000_000 })
  const edge = await dial()
  const cloud = await accepted
  await edge.send(frame('large', 'x'.repeat(10_000_000)))
  const [large] = await take(cloud, 1)
  assert.equal(String(large?.content).length, 10_000_000)
  await edge.send(frame('too large', 'x'.repeat(12_000_000))).catch(() => undefined)
  assert.match(await cloud.closed, /payload/i)
  await edge.closed
  await assert.rejects(edge.send(frame('late')), { code: 'HUB_LINK_CLOSED' })
})

test('a server of a foreign authority or another name is not talked to', async (t) => {
  const foreign = await bench(t, { servedBy: await testAuthority() })
  await assert.rejects(foreign.dial(), { code: 'HUB_LINK_REFUSED' })
  assert.equal(foreign.requests.length, 0)

  const authority = await testAuthority()
  const client = await testIdentity(authority, NODE, ['clientAuth'])
  const certificate = await authority.issue({
    csr: await csrFor(client.key),
    subject: { commonName: 'elsewhere' },
    dnsNames: ['elsewhere.example'],
    usages: ['serverAuth'],
    notBefore: new Date(systemClock.now()),
    notAfter: new Date(systemClock.now() + 60_000),
  })
  const sockets = new Set<Duplex>()
  const server = createServer({ key: client.key, cert: pemOf(certificate, 'CERTIFICATE') })
  server.on('connection', (socket) => void sockets.add(socket))
  const port = await listen(t, server, sockets)
  const dialer = createWebSocketDialer({
    server: `127.0.0.1:${port}`,
    path: '/',
    identity: async () => ({ ca: authority.certificatePem, certificate: client.cert, key: client.key }),
    clock: systemClock,
    log: memoryLogger(),
  })
  await assert.rejects(dialer.dial({}, signal), { code: 'HUB_LINK_REFUSED', message: /does not match|altnames/i })
})

test('a refusal says with which status', async (t) => {
  const { dial } = await bench(t, { onUpgrade: (_request, socket) => socket.end('HTTP/1.1 403 Refused\r\n\r\n') })
  await assert.rejects(dial(), { code: 'HUB_LINK_REFUSED', message: /403/ })
})

test('an identity that comes after the deadline, or while the edge stops, opens no connection and ends nothing', async (t) => {
  const uncaught: unknown[] = []
  const note = (error: unknown) => uncaught.push(error)
  process.on('uncaughtException', note)
  t.after(() => process.off('uncaughtException', note))
  const clock = new FakeClock()
  const log = memoryLogger()
  const { server, requests } = await silentServer(t)
  for (const end of ['deadline', 'stop']) {
    const slow = Promise.withResolvers<{ ca: string; certificate: string; key: string }>()
    const dialer = createWebSocketDialer({ server, path: '/', identity: () => slow.promise, clock, log })
    const stop = new AbortController()
    const failed = assert.rejects(dialer.dial({}, stop.signal))
    if (end === 'stop') stop.abort(new Error('the edge stops'))
    else await clock.advance(seconds(31))
    await failed
    slow.resolve({ ca: '', certificate: '', key: '' })
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual([uncaught, requests()], [[], 0])
})

async function silentServer(t: TestContext) {
  let connections = 0
  const server = createTcpServer(() => connections++)
  const port = await listen(t, server, new Set())
  return { server: `127.0.0.1:${port}`, requests: () => connections }
}

test('a server that takes the connection and says nothing is given up at the deadline', async (t) => {
  const clock = new FakeClock()
  const client = await testIdentity(await testAuthority(), NODE, ['clientAuth'])
  const sockets = new Set<Duplex>()
  const server = createTcpServer((socket) => void sockets.add(socket))
  const port = await listen(t, server, sockets)
  const dialer = createWebSocketDialer({
    server: `127.0.0.1:${port}`,
    path: '/',
    identity: async () => ({ ca: client.ca, certificate: client.cert, key: client.key }),
    clock,
    log: memoryLogger(),
  })
  const connected = once(server, 'connection')
  const refused = assert.rejects(dialer.dial({}, signal), { code: 'PLATFORM_DEADLINE' })
  await connected
  await clock.advance(seconds(30))
  await refused
})

test('a peer that answers pings is kept however silent, one that does not is let go', async (t) => {
  const clock = new FakeClock()
  const peers = new WebSocketServer({ noServer: true, autoPong: false })
  const peer = Promise.withResolvers<WebSocket>()
  const { dial } = await bench(t, {
    clock,
    onUpgrade: (request, socket, head) => peers.handleUpgrade(request, socket, head, peer.resolve),
  })
  const edge = await dial()
  const socket = await peer.promise
  let isOpen = true
  const closed = edge.closed.then((reason) => {
    isOpen = false
    return reason
  })
  for (let round = 0; round < 20; round++) {
    const pinged = once(socket, 'ping')
    await clock.advance(seconds(8))
    await pinged
    socket.pong()
    // The answer to this one comes after the pong has arrived.
    const answered = once(socket, 'pong')
    socket.ping()
    await answered
  }
  assert.equal(isOpen, true)
  await clock.advance(seconds(40))
  assert.match(await closed, /silent for 30 s/)
})

test('a reason of any length can be given for closing', async (t) => {
  const { accepted, dial } = await bench(t)
  const edge = await dial()
  const cloud = await accepted
  cloud.close('ä'.repeat(200))
  assert.equal(await edge.closed, `the peer closed the connection: ${'ä'.repeat(60)}`)
  assert.equal(await cloud.closed, 'ä'.repeat(200))
})

async function csrFor(key: string): Promise<Uint8Array> {
  return createCsr({ keyPair: loadKeyPair(key), subject: { commonName: 'elsewhere' } })
}
