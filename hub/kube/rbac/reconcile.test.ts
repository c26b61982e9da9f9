import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cloudAccess } from '../../../schemas/access/index.ts'
import { validateBuiltin } from '../builtin/index.ts'
import { isApiObject, nameOf } from '../object/index.ts'
import { aggregated } from './aggregate.ts'
import { DEFAULT_ACCESS } from './bootstrap/default-access.ts'
import { reconciled } from './reconcile.ts'
import { allow, clusterRole, clusterRoleBinding, group, user } from './testing/objects.ts'

test('what the server starts with is valid, and each of its bindings names a role of it', () => {
  const cloud = cloudAccess({ kind: 'ServiceAccount', name: 'cloud', namespace: 'kubeedge' }).filter(isApiObject)
  const all = [...DEFAULT_ACCESS, ...cloud]
  for (const object of all) {
    const kind = { group: 'rbac.authorization.k8s.io', kind: object.kind }
    assert.deepEqual(validateBuiltin(kind, object), [], nameOf(object))
  }
  const roles = new Set(all.filter(({ kind }) => kind.endsWith('Role')).map(nameOf))
  for (const binding of all.filter(({ kind }) => kind.endsWith('Binding'))) {
    assert.ok(roles.has(String(Reflect.get(Object(binding['roleRef']), 'name'))), nameOf(binding))
  }
  assert.equal(
    new Set(all.map(({ kind, metadata }) => `${kind} ${metadata['namespace']} ${metadata['name']}`)).size,
    all.length,
  )
})

test('an object of the server gets what it lacks, and keeps what people added', () => {
  const expected = clusterRole('r', [allow('get', 'pods')], { a: '1' })
  const present = clusterRole('r', [allow('get', 'secrets')], { b: '2' })
  const plan = reconciled(expected, present)
  assert.ok(plan.kind === 'change')
  assert.deepEqual(plan.object['rules'], [
    allow('get', 'secrets'),
    { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
  ])
  assert.deepEqual(plan.object.metadata['labels'], { a: '1', b: '2' })
  assert.equal(reconciled(expected, plan.object).kind, 'same')
})

test('one that is exact loses what was added', () => {
  const expected = clusterRole('r', [allow('get', 'pods')])
  const plan = reconciled(expected, clusterRole('r', [allow('get,list', 'pods')]), true)
  assert.ok(plan.kind === 'change')
  assert.deepEqual(plan.object['rules'], expected['rules'])
  const wider = clusterRoleBinding('b', 'ClusterRole/r', [user('a'), user('b')])
  const bound = reconciled(clusterRoleBinding('b', 'ClusterRole/r', [user('a')]), wider, true)
  assert.ok(bound.kind === 'change')
  assert.deepEqual(bound.object['subjects'], [user('a')])
})

test('an object that is not to be updated stays', () => {
  const present = clusterRole('r', [])
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' }
  const held = { ...present, metadata: { ...present.metadata, annotations } }
  assert.equal(reconciled(clusterRole('r', [allow('get', 'pods')]), held).kind, 'same')
})

test('a binding gets the subjects that it lacks, and is made anew where it leads to another role', () => {
  const present = clusterRoleBinding('b', 'ClusterRole/r', [user('ann')])
  const plan = reconciled(clusterRoleBinding('b', 'ClusterRole/r', [group('all')]), present)
  assert.ok(plan.kind === 'change')
  assert.deepEqual(plan.object['subjects'], [user('ann'), group('all')])
  assert.equal(reconciled(clusterRoleBinding('b', 'ClusterRole/other', []), present).kind, 'remake')
})

test('an aggregated role has the rules of all that it selects, each once, and none of its own', () => {
  const select = (selector: object) => ({
    ...clusterRole('sum', [allow('get', 'old')], { in: 'yes' }),
    aggregationRule: { clusterRoleSelectors: [JSON.parse(JSON.stringify(selector))] },
  })
  const all = [
    clusterRole('b', [allow('get', 'pods'), allow('get', 'nodes')], { in: 'yes' }),
    clusterRole('a', [allow('get', 'pods')], { in: 'yes' }),
    clusterRole('c', [allow('get', 'secrets')], { in: 'no' }),
  ]
  const sum = select({ matchLabels: { in: 'yes' } })
  assert.deepEqual(aggregated(sum, [...all, sum])['rules'], [allow('get', 'pods'), allow('get', 'nodes')])
  const others = select({ matchExpressions: [{ key: 'in', operator: 'NotIn', values: ['yes'] }] })
  assert.deepEqual(aggregated(others, all)['rules'], [allow('get', 'secrets')])
  const done = aggregated(sum, all)
  assert.equal(aggregated(done, all), done)
  const plain = clusterRole('plain', [allow('get', 'pods')])
  assert.equal(aggregated(plain, all), plain)
})
