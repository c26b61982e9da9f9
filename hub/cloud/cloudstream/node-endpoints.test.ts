import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { ms, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { createInformer, NODES } from '../kubernetes/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { FakeTunnels } from '../testing/fake-tunnels.ts'
import { countingRandom } from '../testing/harness.ts'
import { NodeEndpoints } from './node-endpoints.ts'

const own = [{ type: 'InternalIP', address: '192.0.2.7' }]

/** A cluster, and cloud halves that come and go. */
function setup(t: TestContext) {
  const kubernetes = new FakeKubernetes()
  const clock = new FakeClock()
  const ports = { kubernetes, clock, random: countingRandom(), log: silentLogger }
  const at = { name: 'gateway-1' }
  const status = async (patch: object) =>
    await kubernetes.patch(NODES, at, { status: patch }, { type: 'merge', subresource: 'status' })
  return {
    ...{ kubernetes, clock },
    settle: (milliseconds = 5) => clock.advance(ms(milliseconds)),
    status,
    async register() {
      await kubernetes.create(NODES, undefined, { metadata: at })
      await status({ addresses: own, conditions: [{ type: 'Ready', status: 'True' }] })
    },
    async shown() {
      const node = Object(await kubernetes.get(NODES, at))
      return `${node.status.addresses[0].address}:${node.status.daemonEndpoints?.kubeletEndpoint?.Port ?? 0}`
    },
    start(replica: string, address: string) {
      const tunnels = new FakeTunnels()
      const connected = new Set<string>()
      const closed: string[] = []
      const nodes = createInformer(NODES, {}, ports)
      const endpoints = new NodeEndpoints(
        { address, replica },
        {
          ...{ ...ports, nodes, tunnels, isConnected: (node) => connected.has(node) },
          openPort: async () => 4000 + replica.charCodeAt(0),
          closePort: (node) => closed.push(node),
        },
      )
      const stopping = new AbortController()
      const following = endpoints.follow()
      const work = [nodes.run(stopping.signal), endpoints.run(stopping.signal)]
      const die = async () => {
        following[Symbol.dispose]()
        stopping.abort()
        await Promise.allSettled(work)
      }
      t.after(die)
      return {
        ...{ tunnels, connected, closed, endpoints, die },
        open: () => tunnels.connect('gateway-1', () => undefined),
      }
    },
  }
}

test('the endpoint is there with the tunnel, also for a Node that comes later, and a moment’s absence changes nothing', async (t) => {
  const { start, register, settle, shown, kubernetes } = setup(t)
  const cloud = start('a', '10.0.0.1')
  cloud.open()
  await settle()
  await register()
  await settle()
  assert.equal(await shown(), '10.0.0.1:4097')
  const writes = kubernetes.writes.length
  cloud.tunnels.disconnect('gateway-1')
  await settle(5000)
  cloud.open()
  await settle(20_000)
  assert.deepEqual([await shown(), kubernetes.writes.length, cloud.closed], ['10.0.0.1:4097', writes, []])
  cloud.tunnels.disconnect('gateway-1')
  await settle(20_000)
  assert.deepEqual([await shown(), cloud.closed[0]], ['192.0.2.7:0', 'gateway-1'])
})

test('what somebody else writes over it is put right', async (t) => {
  const { start, register, settle, shown, status } = setup(t)
  await register()
  start('a', '10.0.0.1').open()
  await settle()
  await status({ addresses: [{ type: 'InternalIP', address: '192.0.2.9' }], daemonEndpoints: null })
  await settle()
  assert.equal(await shown(), '10.0.0.1:4097')
})

test('a tunnel that goes over to another cloud half takes its endpoint along, and the first one leaves that alone', async (t) => {
  const { start, register, settle, shown } = setup(t)
  await register()
  const [first, second] = [start('a', '10.0.0.1'), start('b', '10.0.0.2')]
  first.open()
  await settle()
  first.tunnels.disconnect('gateway-1')
  second.open()
  await settle(60_000)
  assert.equal(await shown(), '10.0.0.2:4098')
  await first.endpoints.leave()
  assert.equal(await shown(), '10.0.0.2:4098')
})

test('a cloud half that stops takes its endpoints away', async (t) => {
  const { start, register, settle, shown } = setup(t)
  await register()
  const cloud = start('a', '10.0.0.1')
  cloud.open()
  await settle()
  await cloud.die()
  await cloud.endpoints.leave()
  assert.equal(await shown(), '192.0.2.7:0')
})

test('what a cloud half left that died, the one takes away that the node is connected to, or any once the node is silent', async (t) => {
  const { start, register, settle, shown, status, clock } = setup(t)
  await register()
  for (const wakes of ['connected', 'silent'] as const) {
    const dead = start(wakes, '10.0.0.1')
    dead.open()
    await settle()
    await dead.die()
    const other = start('b', '10.0.0.2')
    await settle(seconds(300).milliseconds)
    assert.notEqual(await shown(), '192.0.2.7:0', 'somebody else may have the tunnel')
    if (wakes === 'connected') other.connected.add('gateway-1')
    await status({ conditions: [{ type: 'Ready', status: wakes === 'silent' ? 'Unknown' : 'True' }], phase: wakes })
    await clock.advance(seconds(59))
    assert.notEqual(await shown(), '192.0.2.7:0')
    await clock.advance(seconds(5))
    assert.equal(await shown(), '192.0.2.7:0')
    await other.die()
  }
})

test('an endpoint that comes back after it was taken for left stays', async (t) => {
  const { start, register, settle, shown } = setup(t)
  await register()
  const [owner, other] = [start('a', '10.0.0.1'), start('b', '10.0.0.2')]
  other.connected.add('gateway-1')
  owner.open()
  await settle(seconds(300).milliseconds)
  assert.equal(await shown(), '10.0.0.1:4097')
})
