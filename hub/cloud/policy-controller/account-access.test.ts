import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../schemas/index.ts'
import { accountAccess, type Policy } from './account-access.ts'

const RBAC = 'rbac.authorization.k8s.io/v1'
const rules = (verb: string) => [{ apiGroups: [''], resources: ['pods'], verbs: [verb] }]
const object = (kind: string, name: string, more: object, namespace?: string): KubeObject => ({
  ...{ apiVersion: RBAC, kind, ...more },
  metadata: { name, resourceVersion: '7', ...(namespace === undefined ? {} : { namespace }) },
})
const account = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: { name: 'robot', namespace: 'shop', uid: 'u-1', resourceVersion: '5' },
}
const reader = object('Role', 'reader', { rules: rules('get') }, 'shop')
const lister = object('ClusterRole', 'lister', { rules: rules('list') })
const bind = (name: string, kind: string, role: string, subjects: readonly object[], namespace?: string) =>
  object(
    namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding',
    name,
    { roleRef: { kind, name: role }, subjects },
    namespace,
  )
const robot = { kind: 'ServiceAccount', name: 'robot', namespace: 'shop' }

function policy(over: Partial<Policy> = {}): Policy {
  return {
    role: (namespace, name) => (namespace === 'shop' && name === 'reader' ? reader : undefined),
    clusterRole: (name) => (name === 'lister' ? lister : undefined),
    roleBindings: [],
    clusterRoleBindings: [],
    ...over,
  }
}

test('every binding that names the account, its user or a group of it stands with the rules of its role', () => {
  const { object: made } = accountAccess(
    account,
    policy({
      roleBindings: [
        bind('b', 'ClusterRole', 'lister', [{ kind: 'Group', name: 'system:serviceaccounts:shop' }], 'other'),
        bind('a', 'Role', 'reader', [robot], 'shop'),
        bind('another', 'Role', 'reader', [{ ...robot, namespace: 'home' }], 'shop'),
      ],
      clusterRoleBindings: [
        bind('c', 'ClusterRole', 'lister', [{ kind: 'User', name: 'system:serviceaccount:shop:robot' }]),
        bind('d', 'ClusterRole', 'gone', [{ kind: 'Group', name: 'system:authenticated' }]),
        bind('e', 'ClusterRole', 'lister', [{ kind: 'User', name: 'robot' }]),
      ],
    }),
  )
  const { accessRoleBinding, accessClusterRoleBinding, serviceAccountUid } = Object(made.spec)
  const names = (list: readonly object[], field: string) =>
    list.map((each) => [Object(each)[field].metadata.name, Object(each).rules?.[0].verbs[0]])
  assert.deepEqual(names(accessRoleBinding, 'roleBinding'), [
    ['b', 'list'],
    ['a', 'get'],
  ])
  assert.deepEqual(names(accessClusterRoleBinding, 'clusterRoleBinding'), [
    ['c', 'list'],
    ['d', undefined],
  ])
  assert.deepEqual([serviceAccountUid, made.metadata.name, made.metadata.resourceVersion], ['u-1', 'robot', '7'])
  assert.match(made.metadata.uid ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('the version differs where the rights differ, and nowhere else', () => {
  const versionOf = (over: Partial<Policy>, given = account) => accountAccess(given, policy(over)).version
  const bound = { roleBindings: [bind('a', 'Role', 'reader', [robot], 'shop')] }
  assert.equal(versionOf(bound), versionOf({ ...bound, clusterRoleBindings: [] }))
  assert.notEqual(versionOf(bound), versionOf({}))
  assert.notEqual(versionOf(bound), versionOf({ ...bound, role: () => ({ ...reader, ...{ rules: rules('watch') } }) }))
  const touched = { ...account, metadata: { ...account.metadata, resourceVersion: '9' } }
  assert.equal(versionOf(bound), versionOf(bound, touched))
})
