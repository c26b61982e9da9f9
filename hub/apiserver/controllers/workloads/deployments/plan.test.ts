import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../../schemas/index.ts'
import { nameOf } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { templateHash } from '../templates.ts'
import { type Goal, goalOf, isRescaled, newSize, type Resize, rescale, type Sized, shrinkOld, sizedOf } from './plan.ts'
import { isSameTemplate, revisionAnnotations, withLabel } from './revisions.ts'

const goal = (replicas: number, surge: number, unavailable: number): Goal => ({
  replicas,
  isRolling: true,
  surge,
  unavailable,
})

function set(name: string, size: number, available = size, annotations: JsonObject = {}): Sized {
  const age = name.charCodeAt(0) - 96
  return sizedOf({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: { name, creationTimestamp: `2026-01-0${age}T00:00:00Z`, annotations },
    spec: { replicas: size },
    status: { replicas: size, availableReplicas: available },
  })
}

const sizes = (resizes: readonly Resize[]) =>
  Object.fromEntries(resizes.map(({ set: { object }, size }) => [nameOf(object), size]))
const deployment = (spec: JsonObject): ApiObject => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: {}, spec })
const rolling = (maxSurge: number | string, maxUnavailable: number | string) => ({
  type: 'RollingUpdate',
  rollingUpdate: { maxSurge, maxUnavailable },
})

test('surge is rounded up, what may be missing down, and never both to nothing', () => {
  const of = (replicas: number, surge: number | string, unavailable: number | string) => {
    const found = goalOf(deployment({ replicas, strategy: rolling(surge, unavailable) }))
    return [found.surge, found.unavailable]
  }
  assert.deepEqual(of(10, '25%', '25%'), [3, 2])
  assert.deepEqual(of(1, '25%', '25%'), [1, 0])
  assert.deepEqual(of(3, '0%', '10%'), [0, 1])
  assert.deepEqual(of(2, 0, 5), [0, 2])
  assert.deepEqual(goalOf(deployment({ replicas: 3, strategy: { type: 'Recreate' } })), {
    replicas: 3,
    isRolling: false,
    surge: 0,
    unavailable: 0,
  })
})

test('the newest grows into what is free', () => {
  assert.equal(newSize(goal(10, 3, 2), [set('a', 10)], { size: 0 }), 3)
  assert.equal(newSize(goal(10, 3, 2), [set('a', 8), set('b', 3)], { size: 3 }), 5)
  assert.equal(newSize(goal(10, 3, 2), [set('a', 10), set('b', 3)], { size: 3 }), 3)
  assert.equal(newSize(goal(10, 3, 2), [set('b', 9)], { size: 9 }), 10)
  assert.equal(newSize(goal(4, 1, 0), [set('b', 6)], { size: 6 }), 4)
  assert.equal(newSize({ ...goal(10, 0, 0), isRolling: false }, [set('a', 10)], { size: 0 }), 10)
})

const shrinking: readonly (readonly [what: string, Goal, readonly Sized[], Sized, Record<string, number>])[] = [
  ['nothing where no pod may be missing and no new one is available', goal(3, 1, 0), [set('a', 3)], set('b', 1, 0), {}],
  ['one for each new one that is available', goal(3, 1, 0), [set('a', 3)], set('b', 1, 1), { a: 2 }],
  ['what may be missing at once', goal(10, 3, 2), [set('a', 10)], set('b', 3, 0), { a: 8 }],
  ['the oldest first', goal(4, 0, 2), [set('b', 2), set('a', 2)], set('c', 0), { a: 0 }],
  ['broken ones before others', goal(10, 2, 2), [set('a', 4, 4), set('b', 6, 4)], set('c', 2, 2), { b: 4, a: 2 }],
  ['broken ones even where nothing may be missing', goal(3, 1, 0), [set('a', 3, 0)], set('b', 1, 1), { a: 2 }],
]
for (const [what, wanted, old, newest, expected] of shrinking) {
  test(`the old shrink by ${what}`, () => assert.deepEqual(sizes(shrinkOld(wanted, old, newest)), expected))
}

test('a rollout never has more or fewer pods than it may, however pods come and go', () => {
  let chance = 7
  const random = (below: number) => {
    chance = (chance * 1103515245 + 12345) % 2 ** 31
    return chance % below
  }
  for (let run = 0; run < 200; run++) {
    const replicas = 1 + random(12)
    const surge = random(4)
    const wanted = goal(replicas, surge, surge === 0 ? 1 + random(replicas) : random(replicas + 1))
    let newest = { size: 0, available: 0 }
    let old = { size: replicas, available: replicas }
    for (let step = 0; step < 200 && (old.size > 0 || newest.available < replicas); step++) {
      const [one, other] = [set('a', old.size, old.available), set('b', newest.size, newest.available)]
      const size = newSize(wanted, [one, other], other)
      if (size === newest.size) old = { ...old, size: sizes(shrinkOld(wanted, [one], other))['a'] ?? old.size }
      assert.ok(old.size + size <= replicas + wanted.surge, `${old.size} + ${size}`)
      old = { ...old, available: Math.min(old.available, old.size) }
      newest = { size, available: Math.min(size, newest.available + random(3)) }
      assert.ok(old.available + newest.available >= replicas - wanted.unavailable)
    }
    assert.deepEqual([old.size, newest.available], [0, replicas], JSON.stringify(wanted))
  }
})

test('another number of replicas goes to the one that is alone, or to all by their size', () => {
  assert.deepEqual(sizes(rescale(goal(5, 1, 1), set('b', 3), [set('a', 0)])), { b: 5 })
  assert.deepEqual(sizes(rescale(goal(5, 1, 1), undefined, [set('a', 0), set('b', 0)])), { b: 5 })
  const most = (count: number) => ({ 'deployment.kubernetes.io/max-replicas': String(count) })
  const up = rescale(goal(20, 0, 0), set('b', 2, 1, most(10)), [set('a', 8, 8, most(10))])
  assert.deepEqual(sizes(up), { a: 16, b: 4 })
  const down = rescale(goal(5, 0, 0), set('b', 2, 1, most(10)), [set('a', 8, 8, most(10))])
  assert.deepEqual(sizes(down), { a: 4, b: 1 })
  assert.deepEqual(sizes(rescale(goal(0, 0, 0), set('b', 2, 1, most(10)), [set('a', 8, 8, most(10))])), { a: 0, b: 0 })
})

test('where the newest has all that is asked for, the others go', () => {
  const full = set('b', 3, 3, { 'deployment.kubernetes.io/desired-replicas': '3' })
  assert.deepEqual(sizes(rescale(goal(3, 1, 1), full, [set('a', 1)])), { a: 0 })
})

test('only a ReplicaSet with pods tells that the number of replicas changed', () => {
  const desired = { 'deployment.kubernetes.io/desired-replicas': '3' }
  assert.equal(isRescaled(goal(5, 1, 1), [set('a', 3, 3, desired)]), true)
  assert.equal(isRescaled(goal(3, 1, 1), [set('a', 3, 3, desired)]), false)
  assert.equal(isRescaled(goal(5, 1, 1), [set('a', 0, 0, desired)]), false)
})

test('equal templates have one hash, whatever the order of their fields, and the label with it does not count', () => {
  const one = { metadata: { labels: { a: 'b' } }, spec: { x: 1, y: [2] } }
  const other = { spec: { y: [2], x: 1 }, metadata: { labels: { a: 'b' } } }
  assert.equal(templateHash(one, 0), templateHash(other, 0))
  assert.match(templateHash(one, 0), /^[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
  assert.notEqual(templateHash(one, 0), templateHash(one, 1))
  assert.ok(isSameTemplate(one, withLabel(other, 'abc')))
  assert.ok(isSameTemplate({ spec: {} }, withLabel({ spec: {} }, 'abc')))
  assert.ok(isSameTemplate({ spec: {} }, { spec: { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always' } }), 'a default')
  assert.ok(!isSameTemplate({ spec: {} }, { spec: { dnsPolicy: 'None' } }))
})

test('a ReplicaSet that comes back has the next revision, and knows which it was', () => {
  const made: ApiObject = {
    ...deployment({}),
    metadata: { annotations: { 'kubernetes.io/change-cause': 'why', 'deployment.kubernetes.io/revision': '7' } },
  }
  const old = set('a', 0, 0, { 'deployment.kubernetes.io/revision': '2', own: 'x' }).object
  assert.deepEqual(revisionAnnotations(made, old, 5), {
    own: 'x',
    'kubernetes.io/change-cause': 'why',
    'deployment.kubernetes.io/revision': '5',
    'deployment.kubernetes.io/revision-history': '2',
  })
})
