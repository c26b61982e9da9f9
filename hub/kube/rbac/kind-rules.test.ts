import assert from 'node:assert/strict'
import { test } from 'node:test'
import { prepareForCreate, validateBuiltin } from '../builtin/index.ts'
import type { ApiObject } from '../resource.ts'
import { fieldErrorText } from '../schema/index.ts'
import { allow, clusterRole, clusterRoleBinding, group, role, roleBinding, user } from './testing/objects.ts'

const texts = (object: ApiObject, old?: ApiObject) => {
  const kind = { group: 'rbac.authorization.k8s.io', kind: object.kind }
  return validateBuiltin(kind, prepareForCreate(kind, object), old && prepareForCreate(kind, old)).map(fieldErrorText)
}

test('rules that say nothing, or too much, are refused', () => {
  assert.deepEqual(texts(role('r', [allow('get', 'pods'), {}])), [
    'rules[1].verbs: Required value: verbs must contain at least one value',
    'rules[1].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[1].resources: Required value: resource rules must supply at least one resource',
  ])
  const paths = { verbs: ['get'], nonResourceURLs: ['/x'] }
  assert.deepEqual(texts(clusterRole('r', [paths])), [])
  assert.deepEqual(texts(role('r', [paths])), [
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: namespaced rules cannot apply to non-resource URLs',
  ])
  assert.deepEqual(texts(clusterRole('r', [{ ...paths, resources: ['pods'] }])), [
    'rules[0].nonResourceURLs: Invalid value: ["/x"]: rules cannot apply to both regular resources and non-resource URLs',
  ])
})

test('an aggregation has to select something that can be', () => {
  const gathering = (selectors: readonly object[]): ApiObject => ({
    ...clusterRole('r', []),
    aggregationRule: { clusterRoleSelectors: JSON.parse(JSON.stringify(selectors)) },
  })
  assert.match(texts(gathering([])).join(), /at least one clusterRoleSelector required/)
  const wrong = {
    matchLabels: { 'a b': '' },
    matchExpressions: [
      { key: 'k', operator: 'Is' },
      { key: 'k', operator: 'In' },
    ],
  }
  const found = texts(gathering([wrong]))
  assert.equal(found.length, 4, found.join('\n'))
  assert.match(
    found[3] ?? '',
    /^aggregationRule\.clusterRoleSelectors\[0\]: Invalid value: null: invalid label selector\.$/,
  )
  assert.match(found[1] ?? '', /matchExpressions\[0\]\.operator: Invalid value: "Is": not a valid selector operator/)
})

test('a binding gets the group of its role and subjects, and keeps its role', () => {
  const bare = { ...roleBinding('b', 'Role/r', [user('ann')]), roleRef: { kind: 'Role', name: 'r' } }
  const kind = { group: 'rbac.authorization.k8s.io', kind: 'RoleBinding' }
  const full = prepareForCreate(kind, bare)
  assert.deepEqual(full['roleRef'], { kind: 'Role', name: 'r', apiGroup: 'rbac.authorization.k8s.io' })
  assert.deepEqual(full['subjects'], [{ kind: 'User', name: 'ann', apiGroup: 'rbac.authorization.k8s.io' }])
  assert.deepEqual(texts(roleBinding('b', 'Role/r', []), bare), [])
  assert.match(
    texts(roleBinding('b', 'Role/s', []), bare).join(),
    /^roleRef: Invalid value: \{.*\}: cannot change roleRef$/,
  )
})

test('subjects and roles that cannot be are refused', () => {
  assert.deepEqual(texts(clusterRoleBinding('b', 'Role/r', [{ kind: 'ServiceAccount', name: 'x' }])), [
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
    'subjects[0].namespace: Required value',
  ])
  assert.deepEqual(
    texts(
      roleBinding('b', 'Role/', [
        { kind: 'Robot', name: '' },
        { ...group('g'), apiGroup: 'x' },
      ]),
    ),
    [
      'roleRef.name: Required value',
      'subjects[0].name: Required value',
      'subjects[0].kind: Unsupported value: "Robot": supported values: "ServiceAccount", "User", "Group"',
      'subjects[1].apiGroup: Unsupported value: "x": supported values: "rbac.authorization.k8s.io"',
    ],
  )
})
