import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { WebSocket } from 'ws'
import { systemClock } from '../../../platform/time/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import { eventually } from '../../edge/testing/joined-edge.ts'
import { DEVICE_MODELS, DEVICE_STATUSES, DEVICES, NODES } from '../kubernetes/resources.ts'
import { pumpDevice, pumpModel } from '../testing/harness.ts'
import { certificateBetween, join, startTlsCloud } from '../testing/tls-cloud.ts'

type Cloud = Awaited<ReturnType<typeof startTlsCloud>>
type Identity = Awaited<ReturnType<typeof join>>

async function dial(
  t: TestContext,
  cloud: Cloud,
  identity: Identity | undefined,
  node: string,
  path = '/e632aba927ea4ac2b575ec1603d56f10/edge-1/events',
) {
  const socket = new WebSocket(`wss://127.0.0.1:${cloud.cloudhub.port}${path}`, {
    ca: cloud.authority.caPem,
    ...identity,
    headers: { Node_id: node, Project_id: 'p', Connectionuse: 'msg' },
  })
  t.after(() => socket.terminate())
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('open', () => resolve('open'))
  socket.on('unexpected-response', (_request, response) => {
    resolve(`${response.statusCode}`)
    response.destroy()
  })
  socket.on('error', () => resolve('tls'))
  return { socket, outcome: await promise }
}

test('a node with its certificate is let in on any path, without extensions, and pings are answered', async (t) => {
  const cloud = await startTlsCloud(t)
  const identity = await join(cloud, 'edge-1')
  const { socket, outcome } = await dial(t, cloud, identity, 'edge-1', '/any/other')
  assert.deepEqual([outcome, socket.extensions, socket.protocol], ['open', '', ''])
  socket.ping()
  await once(socket, 'pong')
})

test('no certificate, another node’s name and a full house are refused and closed', async (t) => {
  const cloud = await startTlsCloud(t, { nodeLimit: 1 })
  const one = await join(cloud, 'edge-1')
  const two = await join(cloud, 'edge-2')
  assert.equal((await dial(t, cloud, undefined, 'edge-1')).outcome, 'tls')
  const stranger = await join(await startTlsCloud(t), 'edge-1')
  assert.equal((await dial(t, cloud, stranger, 'edge-1')).outcome, 'tls')
  assert.equal((await dial(t, cloud, one, 'edge-2')).outcome, '403')
  const first = await dial(t, cloud, one, 'edge-1')
  assert.equal(first.outcome, 'open')
  assert.equal((await dial(t, cloud, two, 'edge-2')).outcome, '503')
  const closed = once(first.socket, 'close')
  const second = await dial(t, cloud, one, 'edge-1')
  await closed
  assert.equal(second.socket.readyState, WebSocket.OPEN)
})

test('a certificate that has ended opens no connection, also not within the grace of its renewal', async (t) => {
  const cloud = await startTlsCloud(t)
  const now = systemClock.now()
  const ended = await certificateBetween(cloud, 'edge-1', now - 2 * 86_400_000, now - 60_000)
  assert.equal((await dial(t, cloud, ended, 'edge-1')).outcome, '403')
})

test('a revoked node is cut off at once and refused until it joins again; deleting its Node does the same', async (t) => {
  const cloud = await startTlsCloud(t)
  const { register, kubernetes } = cloud
  const outcome = async (as: Identity) => (await dial(t, cloud, as, 'edge-1')).outcome
  const old = await join(cloud, 'edge-1')
  const other = await dial(t, cloud, await join(cloud, 'edge-2'), 'edge-2')
  const first = await dial(t, cloud, old, 'edge-1')
  const closed = once(first.socket, 'close')
  await register.revoke('edge-1')
  assert.match(String((await closed)[1]), /the node was revoked/)
  assert.equal(await outcome(old), '403')
  const fresh = await join(cloud, 'edge-1')
  assert.equal(await outcome(old), '403')
  const second = await dial(t, cloud, fresh, 'edge-1')
  assert.equal(second.outcome, 'open')
  await kubernetes.create(NODES, undefined, { metadata: { name: 'edge-1' } })
  await eventually(() => register.entries.get('edge-1')?.registered)
  const gone = once(second.socket, 'close')
  await kubernetes.delete(NODES, { name: 'edge-1' })
  await gone
  await eventually(() => register.entries.get('edge-1')?.revoked?.admits === undefined || undefined)
  assert.equal(await outcome(fresh), '403')
  assert.equal(await register.allow('edge-1'), true)
  assert.equal(await outcome(fresh), 'open')
  assert.equal(other.socket.readyState, WebSocket.OPEN)
})

test('TLS below 1.2 opens no connection', async (t) => {
  const cloud = await startTlsCloud(t)
  const identity = await join(cloud, 'edge-1')
  const { promise, resolve } = Promise.withResolvers<string>()
  const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const socket = connect({
    host: '127.0.0.1',
    port: cloud.cloudhub.port,
    ca: cloud.authority.caPem,
    ...identity,
    ...old,
  })
  t.after(() => socket.destroy())
  socket.on('secureConnect', () => resolve('connected')).on('error', (error) => resolve(error.message))
  assert.match(await promise, /protocol version/)
})

test('a device reaches a dialling edge, and its report reaches DeviceStatus', async (t) => {
  const cloud = await startTlsCloud(t)
  const { kubernetes } = cloud
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1200'))
  const { socket } = await dial(t, cloud, await join(cloud, 'edge-1'), 'edge-1')
  const confirmed = Promise.withResolvers<void>()
  const report: Frame = {
    header: { msg_id: 'up-1', timestamp: 1 },
    route: {
      source: 'twin',
      group: 'resource',
      operation: 'update',
      resource: 'device/default/pump-1/twin/edge_updated',
    },
    content: { event_id: 'e', timestamp: 5, twin: { speed: { actual: { value: '7' } } } },
  }
  socket.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data))
    if (frame.header.parent_msg_id === 'up-1') return confirmed.resolve()
    if (frame.route.group !== 'resource') return
    const receipt = {
      header: { msg_id: 'x', parent_msg_id: frame.header.msg_id, timestamp: 1 },
      route: { operation: 'response' },
    }
    socket.send(JSON.stringify({ ...receipt, content: 'OK' }))
    if (frame.route.resource === 'default/device/pump-1') socket.send(JSON.stringify(report))
  })
  await confirmed.promise
  const status = await kubernetes.get(DEVICE_STATUSES, { namespace: 'default', name: 'pump-1' })
  assert.equal(status?.status?.twins?.[0]?.reported?.value, '7')
})

test('messages that are no frames end nothing, in text, binary or fragments', async (t) => {
  const cloud = await startTlsCloud(t)
  const { socket } = await dial(t, cloud, await join(cloud, 'edge-1'), 'edge-1')
  const answered = once(socket, 'message')
  for (const rubbish of ['{', '[]', '{"header":{}}', Buffer.from([0, 255])]) socket.send(rubbish)
  const query = {
    header: { msg_id: 'q1', timestamp: 1 },
    route: { source: 'edged', operation: 'query', resource: 'a/b/c' },
  }
  const bytes = Buffer.from(JSON.stringify(query))
  socket.send(bytes.subarray(0, 10), { fin: false, binary: true })
  socket.send(bytes.subarray(10), { fin: true, binary: true })
  const [data] = await answered
  const frame: Frame = JSON.parse(String(data))
  assert.deepEqual([frame.route.operation, frame.header.parent_msg_id], ['error', 'q1'])
})
