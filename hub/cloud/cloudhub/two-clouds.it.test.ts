import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import type { Frame } from '../../../schemas/index.ts'
import { DEVICE_MODELS, DEVICES } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { pumpDevice, pumpModel } from '../testing/harness.ts'
import { join, startTlsCloud, type TlsCloud } from '../testing/tls-cloud.ts'

/** An edge that acknowledges everything. */
function dial(t: TestContext, cloud: TlsCloud, identity: { readonly cert: string; readonly key: string }) {
  const headers = { node_id: 'edge-1', 'x-skerry-wire': '1', 'x-skerry-epoch': 'db-1' }
  const socket = new WebSocket(`wss://127.0.0.1:${cloud.cloudhub.port}/`, {
    ...identity,
    ca: cloud.authority.caPem,
    headers,
  })
  t.after(() => socket.terminate())
  const got: string[] = []
  const waiting = new Map<string, () => void>()
  socket.on('message', (data) => {
    const frame: Frame = JSON.parse(String(data))
    if (frame.route.group !== 'resource') return
    const { resource = '' } = frame.route
    got.push(resource)
    waiting.get(resource)?.()
    const header = { msg_id: `r${got.length}`, parent_msg_id: frame.header.msg_id, timestamp: 1 }
    socket.send(JSON.stringify({ header, route: { ...frame.route, operation: 'response' }, content: 'OK' }))
  })
  const received = (resource: string) =>
    got.includes(resource) ? Promise.resolve() : new Promise<void>((resolve) => waiting.set(resource, resolve))
  const epoch = once(socket, 'upgrade').then(([response]) => String(response.headers['x-skerry-cloud-epoch']))
  return { socket, got, received, epoch }
}

test('a node moves from one cloud half to another: the second delivers what is pending, the first lets go, both have one memory', async (t) => {
  const kubernetes = new FakeKubernetes()
  const a = await startTlsCloud(t, { kubernetes })
  const b = await startTlsCloud(t, { kubernetes })
  await kubernetes.create(DEVICE_MODELS, 'default', pumpModel())
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1'))
  const identity = await join(a, 'edge-1')
  const before = dial(t, a, identity)
  await before.received('default/device/pump-1')
  const closed = once(before.socket, 'close')
  const after = dial(t, b, identity)
  const [, reason] = await closed
  assert.equal(String(reason), 'the node is connected to another cloud half')
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-2'))
  await after.received('default/device/pump-2')
  assert.equal(before.got.includes('default/device/pump-2'), false)
  assert.deepEqual([a.cloudhub.hub.isConnected('edge-1'), b.cloudhub.hub.isConnected('edge-1')], [false, true])
  const epochs = await Promise.all([before.epoch, after.epoch])
  assert.match(epochs[0], /^[0-9a-f-]{36}$/)
  assert.equal(epochs[0], epochs[1])
})
