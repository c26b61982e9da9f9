import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { refuseEscalation } from './escalation.ts'
import type { AccessResource, Policy } from './policy.ts'
import { allow, clusterRole, clusterRoleBinding, policyOf, role, roleBinding, user } from './testing/objects.ts'

const ANN = { name: 'ann', groups: ['clerks', 'system:authenticated'] }
const ADMIN = allow('*', '*', { apiGroups: ['*'] })

function annWith(...rules: readonly JsonObject[]): Policy {
  return policyOf(clusterRole('hers', rules), clusterRoleBinding('b', 'ClusterRole/hers', [user('ann')]))
}

function refusalOf(policy: Policy, resource: AccessResource, object: ApiObject, before?: ApiObject) {
  const namespace = resource.startsWith('cluster') ? '' : 'shop'
  const change = { resource, namespace, name: '', object, before }
  return refuseEscalation(policy, ANN, change, (right) => policy.decide(ANN, right).allowed)
}

function whyNot(policy: Policy, resource: AccessResource, object: ApiObject): string {
  const refused = refusalOf(policy, resource, object)
  return refused?.kind === 'forbidden' ? refused.why : ''
}

test('a role gives what its author holds, in whatever pieces', () => {
  const policy = annWith(
    allow('get,list', 'pods,pods/log'),
    allow('*', '*/scale', { apiGroups: ['apps'] }),
    allow('get', 'secrets', { resourceNames: ['a', 'b'] }),
    { verbs: ['get'], nonResourceURLs: ['/logs/*'] },
  )
  for (const rule of [
    allow('list', 'pods'),
    allow('get', 'pods/log,pods'),
    allow('patch', 'deployments/scale', { apiGroups: ['apps'] }),
    allow('get', 'secrets', { resourceNames: ['b'] }),
    allow('get', 'pods', { resourceNames: ['till'] }),
  ]) {
    assert.equal(refusalOf(policy, 'roles', role('r', [rule])), undefined, JSON.stringify(rule))
  }
  const paths = { verbs: ['get'], nonResourceURLs: ['/logs/x', '/logs/y*'] }
  assert.equal(refusalOf(policy, 'clusterroles', clusterRole('r', [paths])), undefined)
})

test('what its author lacks is named, that of one resource together', () => {
  const policy = annWith(allow('get', 'pods'), allow('get', 'secrets', { resourceNames: ['a'] }))
  const rules = [
    allow('get,list,watch', 'pods'),
    allow('get', 'secrets'),
    allow('get', 'secrets', { resourceNames: ['z'] }),
  ]
  assert.equal(
    whyNot(policy, 'roles', role('r', rules)),
    'user "ann" (groups=["clerks" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
      '{APIGroups:[""], Resources:["pods"], Verbs:["list" "watch"]}\n' +
      '{APIGroups:[""], Resources:["secrets"], ResourceNames:["z"], Verbs:["get"]}\n' +
      '{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}',
  )
  assert.match(
    whyNot(policy, 'clusterroles', clusterRole('r', [{ verbs: ['get'], nonResourceURLs: ['/x'] }])),
    /\{NonResourceURLs:\["\/x"\], Verbs:\["get"\]\}$/,
  )
})

test('who may escalate gives anything, of that kind of role alone', () => {
  const policy = annWith(allow('escalate', 'roles', { apiGroups: ['rbac.authorization.k8s.io'] }))
  assert.equal(refusalOf(policy, 'roles', role('r', [ADMIN])), undefined)
  assert.notEqual(refusalOf(policy, 'clusterroles', clusterRole('r', [ADMIN])), undefined)
})

test('aggregation, which gathers whatever comes, is for those who may do everything', () => {
  const aggregationRule = { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] }
  const gathering = { ...clusterRole('r', []), aggregationRule }
  assert.equal(
    whyNot(annWith(allow('get', 'pods')), 'clusterroles', gathering),
    'must have cluster-admin privileges to use the aggregationRule',
  )
  const powerful = annWith(ADMIN, { verbs: ['*'], nonResourceURLs: ['*'] })
  assert.equal(refusalOf(powerful, 'clusterroles', gathering), undefined)
  const tightened = { ...gathering, aggregationRule: {} }
  assert.notEqual(refusalOf(annWith(allow('get', 'pods')), 'clusterroles', tightened, gathering), undefined)
})

test('a binding gives what its author holds in that namespace, or may bind', () => {
  const rbac = { apiGroups: ['rbac.authorization.k8s.io'] }
  const objects = [clusterRole('big', [ADMIN]), role('small', [allow('get', 'pods')])]
  const big = roleBinding('b', 'ClusterRole/big', [user('eve')])
  const small = roleBinding('b', 'Role/small', [user('eve')])
  const local = policyOf(...objects, role('hers', [allow('get', 'pods')]), roleBinding('x', 'Role/hers', [user('ann')]))
  assert.equal(refusalOf(local, 'rolebindings', small), undefined)
  assert.match(
    whyNot(local, 'rolebindings', big),
    /not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}$/,
  )
  const binder = allow('bind', 'clusterroles', { ...rbac, resourceNames: ['big'] })
  const binding = policyOf(...objects, role('hers', [binder]), roleBinding('x', 'Role/hers', [user('ann')]))
  assert.equal(refusalOf(binding, 'rolebindings', big), undefined)
  assert.notEqual(refusalOf(binding, 'clusterrolebindings', clusterRoleBinding('b', 'ClusterRole/big', [])), undefined)
  assert.notEqual(refusalOf(binding, 'rolebindings', small), undefined)
})

test('a binding to a role that is not there is not found', () => {
  const refused = refusalOf(annWith(ADMIN), 'rolebindings', roleBinding('b', 'Role/gone', []))
  assert.deepEqual(refused?.kind, undefined)
  const without = refusalOf(annWith(allow('get', 'pods')), 'rolebindings', roleBinding('b', 'Role/gone', []))
  assert.equal(without?.kind, 'missing')
})

test('garbage collection may go on with a role that gives more than its owner holds', () => {
  const before = role('r', [ADMIN])
  const owned = { ...before, metadata: { ...before.metadata, ownerReferences: [], finalizers: ['x/y'] } }
  assert.equal(refusalOf(annWith(allow('get', 'pods')), 'roles', owned, before), undefined)
  const labelled = { ...before, metadata: { ...before.metadata, labels: { a: 'b' } } }
  assert.notEqual(refusalOf(annWith(allow('get', 'pods')), 'roles', labelled, before), undefined)
})

test('a rule whose lists multiply to more than can be looked at is refused unless it is held as a whole', () => {
  const many = (stem: string) => Array.from({ length: 300 }, (_, place) => `${stem}${place}`)
  const wide = { verbs: many('v'), apiGroups: many('g'), resources: many('r'), resourceNames: many('n') }
  assert.match(whyNot(annWith(allow('get', 'pods')), 'clusterroles', clusterRole('wide', [wide])), /not currently held/)
  assert.equal(whyNot(annWith(ADMIN), 'clusterroles', clusterRole('wide', [wide])), '')
})
