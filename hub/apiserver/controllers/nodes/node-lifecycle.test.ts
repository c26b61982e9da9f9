import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, seconds } from '../../../../platform/time/index.ts'
import { conditionOf, conditionStatus, withCondition, withContent } from '../../../kube/object/index.ts'
import { unavailable } from '../../../kube/status.ts'
import type { Admitter } from '../../rest/context.ts'
import { startApiBench } from '../../testing/api-bench.ts'
import { podOn, TestNode } from '../../testing/nodes.ts'
import { nodeLifecycle } from './node-lifecycle.ts'

const TYPES = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure']

async function twoNodes(ahead = 0) {
  const bench = await startApiBench([nodeLifecycle])
  const silent = new TestNode(bench, 'silent', ahead)
  const other = new TestNode(bench, 'other')
  await silent.join()
  await other.join()
  await bench.clock.advance(seconds(1))
  return { bench, silent, other }
}

test('a node that renews its lease stays Ready, however wrong its clock is', async () => {
  for (const ahead of [0, -600_000, 600_000]) {
    const { bench, silent, other } = await twoNodes(ahead)
    await silent.live(300, [other])
    assert.equal(silent.condition('Ready'), 'True', `${ahead} ms ahead`)
    assert.deepEqual(silent.taints, [])
    await bench[Symbol.asyncDispose]()
  }
})

test('40 s without a sign its conditions turn Unknown and it is tainted; it says otherwise when it is back', async () => {
  const { bench, silent, other } = await twoNodes()
  await silent.renew()
  await other.live(38)
  assert.equal(silent.condition('Ready'), 'True')
  await other.live(4)
  for (const type of TYPES) assert.equal(silent.condition(type), 'Unknown', type)
  const ready = conditionOf(silent.now, 'Ready')
  assert.equal(ready?.['reason'], 'NodeStatusUnknown')
  assert.equal(ready?.['message'], 'Kubelet stopped posting node status.')
  assert.deepEqual(silent.taints, ['unreachable:NoSchedule', 'unreachable:NoExecute'])
  assert.equal(other.condition('Ready'), 'True')
  assert.deepEqual(other.taints, [])
  const events = bench.api.store.list('/events').map(([, event]) => event['reason'])
  assert.deepEqual(events, ['NodeNotReady'])

  await silent.post()
  await bench.clock.advance(seconds(1))
  assert.equal(silent.condition('Ready'), 'True')
  assert.deepEqual(silent.taints, [])
  await bench[Symbol.asyncDispose]()
})

test('the grace may be another one, and a node that has never spoken gets half as much again', async () => {
  const bench = await startApiBench([(options) => nodeLifecycle({ ...options, grace: seconds(12) })])
  const silent = new TestNode(bench, 'silent')
  const other = new TestNode(bench, 'other')
  await silent.join()
  await other.join()
  await other.live(10)
  assert.equal(silent.condition('Ready'), 'True')
  await other.live(4)
  assert.equal(silent.condition('Ready'), 'Unknown')
  assert.equal(other.condition('Ready'), 'True')
  await bench[Symbol.asyncDispose]()
})

test('a node that says itself that it is not ready is tainted so, and its pressures keep new pods away', async () => {
  const { bench, silent, other } = await twoNodes()
  await silent.post({ Ready: 'False', DiskPressure: 'True' })
  await other.live(1)
  assert.deepEqual(silent.taints, ['not-ready:NoSchedule', 'disk-pressure:NoSchedule', 'not-ready:NoExecute'])
  // From not ready to unreachable the taint changes its key.
  await other.live(50)
  assert.deepEqual(silent.taints, ['unreachable:NoSchedule', 'unreachable:NoExecute'])
  await silent.post({ MemoryPressure: 'True', PIDPressure: 'True' })
  await other.live(1)
  assert.deepEqual(silent.taints, ['memory-pressure:NoSchedule', 'pid-pressure:NoSchedule'])
  await bench[Symbol.asyncDispose]()
})

test('a cordoned node has the taint of it, and taints of others stay', async () => {
  const { bench, silent } = await twoNodes()
  const spec = { unschedulable: true, taints: [{ key: 'acme.io/own', value: 'x', effect: 'NoExecute' }] }
  await bench.edit(silent.object, '', (current) => withContent(current, { spec }))
  await bench.clock.advance(seconds(1))
  assert.deepEqual(silent.taints, ['acme.io/own:NoExecute', 'unschedulable:NoSchedule'])
  await bench.edit(silent.object, '', (current) =>
    withContent(current, { spec: { ...Object(current['spec']), unschedulable: false } }),
  )
  await bench.clock.advance(seconds(1))
  assert.deepEqual(silent.taints, ['acme.io/own:NoExecute'])
  await bench[Symbol.asyncDispose]()
})

test('after a restart of the API each node gets its full grace', async () => {
  const { bench, silent, other } = await twoNodes()
  await other.live(30)
  await bench.restart()
  await bench.clock.advance(seconds(39))
  assert.equal(silent.condition('Ready'), 'True')
  await bench.clock.advance(seconds(3))
  assert.equal(silent.condition('Ready'), 'Unknown')
  await bench[Symbol.asyncDispose]()
})

test('where all nodes are silent at once, the network is at fault and no pod is driven away', async () => {
  const { bench, silent, other } = await twoNodes()
  await bench.clock.advance(seconds(60))
  assert.deepEqual(silent.taints, ['unreachable:NoSchedule'])
  assert.deepEqual(other.taints, ['unreachable:NoSchedule'])
  // One is back: the other one is lost by itself.
  await other.post()
  await other.live(10)
  assert.deepEqual(other.taints, [])
  assert.deepEqual(silent.taints, ['unreachable:NoSchedule', 'unreachable:NoExecute'])
  await bench[Symbol.asyncDispose]()
})

test('nodes that fall silent together are given up one each ten seconds', async () => {
  const bench = await startApiBench([nodeLifecycle])
  const nodes = Array.from({ length: 8 }, (_, at) => new TestNode(bench, `node-${at}`))
  for (const node of nodes) await node.join()
  const [first, ...rest] = nodes.slice(3)
  const given = () => nodes.filter((node) => node.taints.includes('unreachable:NoExecute')).length
  await first?.live(43, rest)
  assert.equal(given(), 1)
  await first?.live(10, rest)
  assert.equal(given(), 2)
  await first?.live(10, rest)
  assert.equal(given(), 3)
  await bench[Symbol.asyncDispose]()
})

test('a Node that never said anything is Unknown after a minute', async () => {
  const bench = await startApiBench([nodeLifecycle])
  const node = new TestNode(bench, 'made-by-hand')
  await bench.create(node.object)
  await bench.clock.advance(seconds(59))
  assert.equal(node.condition('Ready'), '')
  await bench.clock.advance(seconds(3))
  assert.equal(conditionOf(node.now, 'Ready')?.['reason'], 'NodeStatusNeverUpdated')
  await bench[Symbol.asyncDispose]()
})

test('pods of a silent node are no longer ready', async () => {
  const { bench, other } = await twoNodes()
  const pod = podOn('silent', 'web')
  await bench.create(pod)
  await bench.edit(pod, 'status', (current) => withCondition(current, { type: 'Ready', status: 'True' }))
  await other.live(45)
  const now = bench.get(pod)
  assert.ok(now)
  assert.equal(conditionStatus(now, 'Ready'), 'False')
  await bench[Symbol.asyncDispose]()
})

test('pods of a silent node are no longer ready, also where the first try to say so fails', async () => {
  let isFailing = false
  const failing: Admitter = {
    mutate: async () => undefined,
    async validate({ definition }) {
      if (isFailing && definition.plural === 'pods') throw unavailable('the disk is full')
    },
  }
  const bench = await startApiBench([nodeLifecycle], [failing])
  const silent = new TestNode(bench, 'silent')
  const other = new TestNode(bench, 'other')
  for (const each of [silent, other]) await each.join()
  const pod = podOn('silent', 'web')
  await bench.create(pod)
  await bench.edit(pod, 'status', (current) => withCondition(current, { type: 'Ready', status: 'True' }))
  isFailing = true
  await other.live(43)
  assert.equal(silent.condition('Ready'), 'Unknown')
  isFailing = false
  await other.live(20)
  const now = bench.get(pod)
  assert.ok(now)
  assert.equal(conditionStatus(now, 'Ready'), 'False')
  await bench[Symbol.asyncDispose]()
})

test('a Node that was deleted and made anew begins anew', async () => {
  const { bench, silent, other } = await twoNodes()
  await other.live(30)
  await bench.remove(silent.object)
  await other.live(20)
  await bench.create(silent.object)
  await silent.post()
  await other.live(30)
  assert.equal(silent.condition('Ready'), 'True')
  await bench.clock.advance(minutes(1))
  assert.equal(silent.condition('Ready'), 'Unknown')
  await bench[Symbol.asyncDispose]()
})
