import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../schemas/index.ts'
import { nameOf } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { shareOf } from './figures.ts'
import { slowStart } from './making.ts'
import { byDispensability, untilAvailable } from './pods.ts'

const NOW = Date.parse('2026-01-01T01:00:00Z')

interface PodParts {
  readonly node?: string
  readonly phase?: string
  /** Since when it is ready. */
  readonly ready?: string
  readonly created?: string
  readonly restarts?: number
  readonly cost?: string
}

function pod(name: string, parts: PodParts = {}): ApiObject {
  const { node = 'n', phase = 'Running', ready, created = '00:00', restarts = 0, cost } = parts
  const condition: JsonObject = { type: 'Ready', status: 'True', lastTransitionTime: `2026-01-01T${ready}:00Z` }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      creationTimestamp: `2026-01-01T${created}:00Z`,
      annotations: cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': cost },
    },
    spec: { nodeName: node },
    status: {
      phase,
      conditions: ready === undefined ? [] : [condition],
      containerStatuses: [{ name: 'c', restartCount: restarts }],
    },
  }
}

const orders: readonly (readonly [what: string, first: PodParts, second: PodParts])[] = [
  ['has no node', { node: '', ready: '00:10' }, { ready: '00:20' }],
  ['does not run yet', { phase: 'Pending' }, {}],
  ['is not ready', {}, { ready: '00:20' }],
  ['costs less', { ready: '00:10', cost: '-1' }, { ready: '00:20' }],
  ['was ready later', { ready: '00:20' }, { ready: '00:10' }],
  ['was restarted more often', { ready: '00:10', restarts: 3 }, { ready: '00:10', restarts: 1 }],
  ['is younger', { ready: '00:10', created: '00:05' }, { ready: '00:10', created: '00:01' }],
]
for (const [what, first, second] of orders) {
  test(`of two pods the one goes that ${what}`, () => {
    const pods = [pod('second', { node: 'm', ...second }), pod('first', first)]
    assert.deepEqual(byDispensability(pods, pods).map(nameOf), ['first', 'second'])
  })
}

test('a pod goes from the node where most of its kind are', () => {
  const pods = [pod('alone', { node: 'a', ready: '00:10' }), pod('crowded', { node: 'b', ready: '00:10' })]
  const related = [...pods, pod('other', { node: 'b' })]
  assert.deepEqual(byDispensability(pods, related).map(nameOf), ['crowded', 'alone'])
})

test('a pod is available once it was ready for as long as is asked', () => {
  assert.equal(untilAvailable(pod('a'), 0, NOW), Number.POSITIVE_INFINITY)
  assert.equal(untilAvailable(pod('a', { ready: '00:59' }), 0, NOW), 0)
  assert.equal(untilAvailable(pod('a', { ready: '00:59' }), 90, NOW), 30_000)
  assert.equal(untilAvailable(pod('a', { ready: '00:58' }), 90, NOW), 0)
})

test('shares are rounded up for what comes on top, and down for what may be missing', () => {
  assert.deepEqual(
    ['25%', '30%', 2].map((share) => shareOf(share, 10, 'up')),
    [3, 3, 2],
  )
  assert.deepEqual(
    ['25%', '30%', 2].map((share) => shareOf(share, 10, 'down')),
    [2, 3, 2],
  )
})

test('many are made in batches that double, and no batch follows one that failed', async () => {
  const batches: number[] = []
  let pending = 0
  await slowStart(11, async () => {
    if (pending === 0) batches.push(0)
    pending++
    batches.push((batches.pop() ?? 0) + 1)
    await Promise.resolve()
    pending--
  })
  assert.deepEqual(batches, [1, 2, 4, 4])
  let tries = 0
  await assert.rejects(
    slowStart(100, async (position) => {
      tries++
      if (position === 2) throw new Error('full')
    }),
    /full/,
  )
  assert.equal(tries, 3)
})
