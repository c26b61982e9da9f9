import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { type TestContext, test } from 'node:test'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { createLocalBus } from '../../platform/bus/index.ts'
import { testAuthority, testIdentity } from '../../platform/certificates/testing/index.ts'
import { createScope } from '../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { openTestStore } from '../../platform/store/testing/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import { type Frame, SKERRY_HEADER, SKERRY_WIRE_VERSION } from '../../schemas/index.ts'
import { createFrameFactory, createWebSocketDialer, decodeFrame } from '../link/index.ts'
import { createEdgeHub } from './edge-hub.ts'
import { createMetaManager } from './meta/meta-manager.ts'
import { metaStoreDomain } from './meta/meta-store.ts'
import { eventually } from './testing/joined-edge.ts'

const CONFIG = 'shop/configmap/big'

/** An edge with a real disk and socket, and a cloud in the hands of the test: it is given each connection. */
async function setup(t: TestContext) {
  const authority = await testAuthority()
  const identity = await testIdentity(authority, { commonName: 'cloud' }, ['serverAuth'], authority)
  const server = createServer({ ...identity, requestCert: true, rejectUnauthorized: true })
  const sockets: WebSocket[] = []
  const received: Frame[] = []
  const webSockets = new WebSocketServer({ server, perMessageDeflate: false })
  webSockets.on('headers', (headers) => headers.push(`${SKERRY_HEADER}: ${SKERRY_WIRE_VERSION}`))
  webSockets.on('connection', (socket) => {
    sockets.push(socket)
    socket.on('error', () => undefined)
    socket.on('message', (data: RawData) => {
      const decoded = decodeFrame(data.toString())
      if (decoded.ok) received.push(decoded.frame)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = server.address()
  assert.ok(at !== null && typeof at === 'object')
  const client = await testIdentity(authority, { commonName: 'system:node:edge-1' }, ['clientAuth'])
  const log = memoryLogger()
  const dialer = createWebSocketDialer({
    server: `127.0.0.1:${at.port}`,
    path: '/project/edge-1/events',
    identity: async () => ({ ca: authority.certificatePem, certificate: client.cert, key: client.key }),
    ...{ clock, log },
  })
  const crashes: unknown[] = []
  const onCrash = (error: unknown) => void crashes.push(error)
  const scope = createScope('edge', { clock, log, deadline: seconds(5), onCrash })
  t.after(async () => {
    await scope.close(seconds(5))
    for (const socket of sockets) socket.terminate()
    webSockets.close()
    server.close()
    assert.deepEqual(crashes, [])
  })
  const store = await openTestStore(t, [metaStoreDomain])
  const bus = createLocalBus(clock, log)
  const frames = createFrameFactory({ clock, random })
  const ports = { store, bus, frames, nodeName: 'edge-1', clock, random, log }
  const meta = createMetaManager(ports)
  const hub = createEdgeHub({ ...ports, dialer, meta, version: '0.1.0' })
  await meta.start(scope)
  await hub.start(scope)
  const socket = (which: number) => eventually(() => sockets[which])
  const answerTo = (id: string) => eventually(() => received.find(({ header }) => header.parent_msg_id === id))
  return { meta, hub, socket, answerTo }
}

/** A frame with a ConfigMap of about so many bytes. */
function configMap(id: string, bytes: number): string {
  const content = {
    metadata: { name: 'big', namespace: 'shop', uid: 'c', resourceVersion: '1' },
    data: 'x'.repeat(bytes),
  }
  const route = { source: 'edgecontroller', group: 'resource', operation: 'insert', resource: CONFIG }
  return JSON.stringify({ header: { msg_id: id, timestamp: 1, resourceversion: '1' }, route, content })
}

test('96: an object of 12 MB in many fragments is stored and acknowledged', async (t) => {
  const { meta, socket, answerTo } = await setup(t)
  const text = configMap('large', 12_000_000)
  const cloud = await socket(0)
  const half = 4096
  for (let at = 0; at < text.length; at += half)
    cloud.send(text.slice(at, at + half), { fin: at + half >= text.length })
  assert.equal((await answerTo('large')).content, 'OK')
  assert.ok(meta.stored(CONFIG))
})

test('a message beyond the limit ends the connection with its reason; the edge comes back and goes on', async (t) => {
  const { meta, hub, socket, answerTo } = await setup(t)
  const first = await socket(0)
  first.send(configMap('huge', 100_000_000))
  const second = await socket(1)
  second.send(configMap('large', 20_000_000))
  assert.match(String((await answerTo('large')).content), /this node takes 16777216/)
  second.send(configMap('small', 10))
  assert.equal((await answerTo('small')).content, 'OK')
  assert.ok(meta.stored(CONFIG))
  assert.equal(hub.isConnected, true)
})

test('a cloud that speaks nonsense is heard out, and what is sense among it is done', async (t) => {
  const { meta, hub, socket, answerTo } = await setup(t)
  const cloud = await socket(0)
  const header = { msg_id: 'm', timestamp: 1 }
  for (let at = 0; at < 300; at++) {
    cloud.send(['', '{', '[]', 'null', '{"header":{"msg_id":7}}', '\u0000'.repeat(9)][at % 6] ?? '')
    cloud.send(Buffer.from([0xff, 0xfe, 0x00, at & 255]))
    cloud.send(JSON.stringify({ header, route: { group: 'resource', resource: ['/', 'a', '//x', 'a/b/'][at % 4] } }))
    cloud.send(JSON.stringify({ header: { ...header, parent_msg_id: `p${at}` }, route: { group: 'resource' } }))
    cloud.send(
      JSON.stringify({ header, route: { group: 'twin', resource: 'device/a/b/twin/cloud_updated' }, content: at }),
    )
    if (at % 100 === 0) cloud.ping()
  }
  cloud.send(configMap('sense', 10))
  assert.equal((await answerTo('sense')).content, 'OK')
  assert.ok(meta.stored(CONFIG))
  assert.equal(hub.isConnected, true)
})
