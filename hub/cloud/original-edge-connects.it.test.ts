import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds, systemClock } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import type { Frame } from '../../schemas/index.ts'
import { writeAsGo } from '../link/testing/index.ts'
import { LEASES, NODES } from './kubernetes/index.ts'
import { failureOf, objectOf, register } from './testing/kubeedge/kubelet.ts'
import type { OriginalEdge } from './testing/kubeedge/original-edge.ts'
import { startWholeCloud } from './testing/kubeedge/whole-cloud.ts'

test('an original edge registers, takes a lease and is seen Ready; its second start is told AlreadyExists', async (t) => {
  const whole = await startWholeCloud(t)
  const edge = await whole.edge()
  const first = await register(edge)
  assert.equal(failureOf(first.lease), undefined)
  const node = await whole.kubernetes.get(NODES, { name: 'edge-1' })
  assert.equal(objectOf(first.node)['metadata'] !== undefined, true)
  assert.equal(node?.metadata.labels?.['node-role.kubernetes.io/edge'], '')
  assert.deepEqual(conditionsOf(node?.status), ['MemoryPressure False', 'Ready True'])
  assert.deepEqual(node?.status?.['addresses'], [
    { type: 'InternalIP', address: '192.0.2.7' },
    { type: 'Hostname', address: 'edge-1' },
  ])
  await edge.cut()
  const again = await whole.edge()
  const second = await register(again, 1_786_017_700)
  assert.equal(failureOf(second.node), 'AlreadyExists')
  const lease = await whole.kubernetes.get(LEASES, { namespace: 'kube-node-lease', name: 'edge-1' })
  assert.equal(lease?.spec?.['renewTime'], '2026-08-06T12:01:40.000000Z')
  assert.deepEqual(strangeOf(edge, again), [])
})

test('the node of a connection is read from its header in any case, on any path', async (t) => {
  const whole = await startWholeCloud(t)
  for (const [at, name] of ['Node_id', 'node_id', 'NODE_ID'].entries()) {
    const node = `edge-${at}`
    const headers = { [name]: node, project_id: 'p', connectionuse: 'msg' }
    const edge = await whole.edge(node, { headers, path: '/'.repeat(at + 1) })
    assert.equal(failureOf((await register(edge)).node), undefined)
  }
})

test('a connection without a certificate, with one of another node, or beyond the limit of nodes is refused and closed', async (t) => {
  const whole = await startWholeCloud(t, { nodeLimit: 1 })
  const identity = await whole.identityOf('edge-1')
  assert.equal(await whole.dial('edge-1'), 'tls')
  assert.equal(await whole.dial('edge-2', { identity }), '403')
  await whole.edge('edge-1')
  assert.equal(await whole.dial('edge-2', { identity: await whole.identityOf('edge-2') }), '503')
})

test('a second connection of a node replaces the first, which is closed', async (t) => {
  const whole = await startWholeCloud(t)
  const first = await whole.edge()
  await register(first)
  const second = await whole.edge()
  assert.match(await first.closed, /replaced by a newer session/)
  assert.equal(failureOf((await register(second)).node), 'AlreadyExists')
  assert.equal(second.isOpen, true)
})

test('keepalives each 15 s keep a session for an hour and are not answered; 30 s without one end it', async (t) => {
  const clock = new FakeClock(systemClock.now())
  const whole = await startWholeCloud(t, { clock })
  const edge = await whole.edge()
  for (let passed = 0; passed < 3600; passed += 15) {
    await clock.advance(seconds(15))
    await edge.roundTrip()
  }
  assert.equal(edge.isOpen, true)
  assert.deepEqual(edge.arrived, [])
  edge.stopKeepalives()
  // Pongs still come: the peer lives, only its keeper is gone.
  for (let passed = 0; passed < 25; passed += 5) {
    await clock.advance(seconds(5))
    await edge.roundTrip()
  }
  assert.equal(edge.isOpen, true)
  await clock.advance(seconds(6))
  assert.match(await edge.closed, /no keepalive for 30 s/)
})

test('unknown operations, groups and sources, and messages that are no frames, leave the session as it is', async (t) => {
  const whole = await startWholeCloud(t)
  const edge = await whole.edge()
  const route = { source: 'edged', group: 'meta', operation: 'query', resource: 'default/configmap/a' }
  for (const text of ['', '{', 'null', '[]', '{"header":{"msg_id":1},"route":7,"content":{}}', '{"content":"\\u0000"}'])
    edge.socket.send(text)
  edge.say({ ...route, operation: 'frobnicate' }, { a: '<&>' })
  edge.say({ ...route, group: 'nobody', resource: '' })
  edge.say({ source: 'nobody', operation: 'insert', resource: 'a/b/c/d/e/f' }, [1, 2])
  edge.say({ operation: 'response', resource: 'default/pod/x' }, 'OK')
  edge.say({ ...route, operation: 'error' }, 'the database is locked')
  edge.say(
    { source: 'taskmanager', operation: 'UpdateNodeActionStatus', resource: taskOf('edge-1') },
    { action: 'Check' },
  )
  edge.say({ source: 'edged', group: 'resource', operation: 'upgrade', resource: 'task/t/node/edge-1' }, {})
  assert.equal(failureOf((await register(edge)).node), undefined)
  assert.equal(edge.isOpen, true)
  assert.deepEqual(strangeOf(edge), [])
})

test('a message in fragments, as text or binary, is one message', async (t) => {
  const whole = await startWholeCloud(t)
  const edge = await whole.edge()
  await register(edge)
  const header = { msg_id: '11111111-1111-4111-8111-111111111111', timestamp: 1_786_017_600_000 }
  const route = { source: 'edged', group: 'meta', operation: 'query', resource: 'kube-node-lease/lease/edge-1' }
  for (const binary of [true, false]) {
    const before = edge.arrived.length
    const bytes = Buffer.from(writeAsGo({ header, route, content: 'ü'.repeat(9000) }))
    for (let at = 0; at < bytes.length; at += 777) {
      edge.socket.send(bytes.subarray(at, at + 777), { binary, fin: at + 777 >= bytes.length })
    }
    // The Node comes down too, in its own time.
    const isAnswer = (frame: Frame) => frame.header.parent_msg_id === header.msg_id
    const answer = await edge.until(() => edge.arrived.slice(before).find(isAnswer))
    assert.notEqual(answer.route.operation, 'error')
  }
})

function conditionsOf(status: unknown): readonly string[] {
  const conditions: unknown = Reflect.get(Object(status), 'conditions')
  if (!Array.isArray(conditions)) return []
  return conditions
    .map((each: unknown) => `${Reflect.get(Object(each), 'type')} ${Reflect.get(Object(each), 'status')}`)
    .sort()
}

function strangeOf(...edges: readonly OriginalEdge[]): readonly string[] {
  return edges.flatMap(({ strange }) => strange)
}

function taskOf(node: string): string {
  return `operations.kubeedge.io/v1alpha2/nodeupgradejob/j/node/${node}`
}
