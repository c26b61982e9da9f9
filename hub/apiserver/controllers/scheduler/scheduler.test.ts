import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, seconds } from '../../../../platform/time/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import { conditionOf, objectAt, textAt, withContent } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { type ApiBench, startApiBench } from '../../testing/api-bench.ts'
import { nodeCalled } from '../../testing/nodes.ts'
import { scheduler } from './scheduler.ts'

function pod(name: string, spec: JsonObject = {}): ApiObject {
  const containers = [{ name: 'main', image: 'x', resources: { requests: { cpu: '1' } } }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'default' }, spec: { containers, ...spec } }
}

function sized(name: string, cpu: string): ApiObject {
  return { ...nodeCalled(name), status: { allocatable: { cpu, pods: '110' } } }
}

function placeOf(bench: ApiBench, name: string): string {
  return textAt(objectAt(bench.get(pod(name)) ?? pod(name), 'spec'), 'nodeName')
}

function events(bench: ApiBench, reason: string): readonly string[] {
  const all = bench.api.store.list('/events').map(([, event]) => event)
  return all.filter((event) => event['reason'] === reason).map((each) => `${textAt(each, 'message')} x${each['count']}`)
}

/** Lets what is due now happen. */
async function settle(bench: ApiBench): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await bench.clock.advance(seconds(0))
}

test('a pod goes to a node, says so, and is left alone from then on', async () => {
  await using bench = await startApiBench([scheduler])
  await bench.create(nodeCalled('edge-1'))
  await bench.create(pod('web'))
  await settle(bench)
  assert.equal(placeOf(bench, 'web'), 'edge-1')
  const condition = conditionOf(bench.get(pod('web')) ?? pod('web'), 'PodScheduled')
  assert.equal(condition?.['status'], 'True')
  assert.deepEqual(events(bench, 'Scheduled'), ['Successfully assigned default/web to edge-1 x1'])
  const version = bench.api.store.version
  await bench.clock.advance(minutes(20))
  assert.equal(bench.api.store.version, version)
})

test('a pod without a node says why, and goes once there is one', async () => {
  await using bench = await startApiBench([scheduler])
  await bench.create(pod('web'))
  await settle(bench)
  const condition = () => conditionOf(bench.get(pod('web')) ?? pod('web'), 'PodScheduled')
  assert.deepEqual([condition()?.['reason'], condition()?.['status']], ['Unschedulable', 'False'])
  assert.deepEqual(events(bench, 'FailedScheduling'), ['no nodes available to schedule pods x1'])
  await bench.create(sized('small', '500m'))
  await bench.clock.advance(seconds(2))
  await settle(bench)
  assert.match(String(condition()?.['message']), /^0\/1 nodes are available: 1 Insufficient cpu\./)
  await bench.create(sized('large', '2'))
  await bench.clock.advance(seconds(5))
  await settle(bench)
  assert.equal(placeOf(bench, 'web'), 'large')
})

test('room that a pod leaves is given to the next, and what a node tells every few seconds wakes nobody', async () => {
  await using bench = await startApiBench([scheduler])
  await bench.create(sized('edge-1', '1'))
  await bench.create(pod('first', { nodeName: 'edge-1' }))
  await bench.create(pod('second'))
  await settle(bench)
  assert.equal(placeOf(bench, 'second'), '')
  const version = bench.api.store.version
  for (let beat = 0; beat < 6; beat++) {
    await bench.edit(nodeCalled('edge-1'), 'status', (node) =>
      withContent(node, { status: { ...objectAt(node, 'status'), beat } }),
    )
    await bench.clock.advance(seconds(10))
    await settle(bench)
  }
  assert.equal(bench.api.store.version, version)
  await bench.edit(pod('first'), 'status', (each) => withContent(each, { status: { phase: 'Succeeded' } }))
  await settle(bench)
  assert.equal(placeOf(bench, 'second'), 'edge-1')
})

test('pods with gates, of other schedulers, or about to go are not placed', async () => {
  await using bench = await startApiBench([scheduler])
  await bench.create(nodeCalled('edge-1'))
  await bench.create(pod('gated', { schedulingGates: [{ name: 'acme.io/ready' }] }))
  await bench.create(pod('other', { schedulerName: 'acme' }))
  await settle(bench)
  assert.deepEqual([placeOf(bench, 'gated'), placeOf(bench, 'other')], ['', ''])
  assert.equal(conditionOf(bench.get(pod('gated')) ?? pod('gated'), 'PodScheduled')?.['reason'], 'SchedulingGated')
  await bench.edit(pod('gated'), '', (each) => {
    const { schedulingGates: _, ...spec } = objectAt(each, 'spec')
    return withContent(each, { spec })
  })
  await settle(bench)
  assert.equal(placeOf(bench, 'gated'), 'edge-1')
})

test('after a restart pods that wait are placed, and what is used is known', async () => {
  await using bench = await startApiBench([scheduler])
  await bench.create(sized('edge-1', '2'))
  for (const name of ['a', 'b', 'c']) await bench.create(pod(name))
  await settle(bench)
  const placed = () => ['a', 'b', 'c'].filter((name) => placeOf(bench, name) !== '').length
  assert.equal(placed(), 2)
  await bench.restart()
  await settle(bench)
  assert.equal(placed(), 2)
  await bench.create(sized('edge-2', '1'))
  await settle(bench)
  await bench.clock.advance(seconds(10))
  await settle(bench)
  assert.equal(placed(), 3)
})
