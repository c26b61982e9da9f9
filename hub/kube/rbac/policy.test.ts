import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { type Attributes, rightTo } from './attributes.ts'
import type { Policy } from './policy.ts'
import { refusal } from './refusal.ts'
import { allow, clusterRole, clusterRoleBinding, group, policyOf, role, roleBinding, user } from './testing/objects.ts'

const ANN = { name: 'ann', groups: ['clerks', 'system:authenticated'] }

/** `verb group/resource[/subresource] [namespace] [name]`, or `verb /path`. */
function ask(text: string): Attributes {
  const [verb = '', what = '', namespace = '', name = ''] = text.split(' ')
  if (what.startsWith('/')) return { verb, path: what }
  const [api = '', plural = '', subresource = ''] = what.split('/')
  return rightTo(verb, { group: api === 'core' ? '' : api, plural, subresource, namespace, name })
}

function held(rule: JsonObject): Policy {
  return policyOf(clusterRole('r', [rule]), clusterRoleBinding('b', 'ClusterRole/r', [user('ann')]))
}

const RULES: readonly (readonly [
  title: string,
  rule: JsonObject,
  allowed: readonly string[],
  refused: readonly string[],
])[] = [
  [
    'one verb on one resource',
    allow('get', 'pods'),
    ['get core/pods shop till', 'get core/pods'],
    ['list core/pods', 'get core/pods/log shop till', 'get apps/pods', 'get core/secrets', 'get /pods'],
  ],
  [
    'every verb and resource of a group',
    allow('*', '*', { apiGroups: ['apps'] }),
    ['delete apps/deployments', 'get apps/deployments/scale shop web', 'fly apps/birds'],
    ['get core/pods'],
  ],
  [
    'everything',
    allow('*', '*', { apiGroups: ['*'] }),
    ['escalate rbac.authorization.k8s.io/roles', 'get core/pods/exec'],
    ['get /metrics'],
  ],
  [
    'a subresource is no part of its resource, and its resource none of it',
    allow('get', 'pods/log'),
    ['get core/pods/log shop till'],
    ['get core/pods shop till', 'get core/pods/status'],
  ],
  [
    'one subresource of all resources',
    allow('update', '*/scale', { apiGroups: ['*'] }),
    ['update apps/deployments/scale', 'update core/replicationcontrollers/scale'],
    ['update apps/deployments', 'update apps/deployments/status', 'update apps/deployments/upscale'],
  ],
  [
    'named objects, which a collection is not',
    allow('get,list,delete,create', 'configmaps', { resourceNames: ['menu', 'prices'] }),
    ['get core/configmaps shop menu', 'delete core/configmaps shop prices', 'list core/configmaps shop menu'],
    ['get core/configmaps shop till', 'list core/configmaps shop', 'create core/configmaps shop'],
  ],
  [
    'paths, and what begins with them',
    { verbs: ['get'], nonResourceURLs: ['/version', '/healthz/*', '/log*'] },
    ['get /version', 'get /healthz/etcd', 'get /healthz/', 'get /log', 'get /logs/x'],
    ['get /healthz', 'get /version/', 'post /version', 'get core/version'],
  ],
  ['all paths', { verbs: ['get'], nonResourceURLs: ['*'] }, ['get /', 'get /a/b'], ['put /', 'get core/pods']],
  ['a rule of nothing', { verbs: ['get'] }, [], ['get core/pods', 'get /']],
]

for (const [title, rule, allowed, refused] of RULES) {
  test(`a rule gives ${title}`, () => {
    const policy = held(rule)
    for (const text of allowed) assert.ok(policy.decide(ANN, ask(text)).allowed, text)
    for (const text of refused) assert.ok(!policy.decide(ANN, ask(text)).allowed, text)
    assert.ok([...allowed, ...refused].every((text) => !policy.decide({ name: 'eve', groups: [] }, ask(text)).allowed))
  })
}

test('users, groups and service accounts are told apart, and a binding says whose rights these are', () => {
  const rules = [allow('get', 'pods')]
  const robot = { kind: 'ServiceAccount', name: 'robot', namespace: 'shop' }
  const policy = policyOf(
    clusterRole('look', rules),
    role('peek', rules),
    clusterRoleBinding('all', 'ClusterRole/look', [user('clerks'), group('lords'), robot]),
    roleBinding('some', 'Role/peek', [{ kind: 'ServiceAccount', name: 'local' }, group('clerks')]),
    roleBinding('widely', 'ClusterRole/look', [user('ann')], 'yard'),
  )
  const reason = (name: string, groups: readonly string[], namespace: string) =>
    policy.decide({ name, groups }, ask(`get core/pods ${namespace} x`)).reason
  assert.equal(
    reason('x', ['lords'], ''),
    'RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "look" to Group "lords"',
  )
  assert.equal(
    reason('system:serviceaccount:shop:robot', [], 'yard'),
    'RBAC: allowed by ClusterRoleBinding "all" of ClusterRole "look" to ServiceAccount "robot/shop"',
  )
  assert.equal(
    reason('system:serviceaccount:shop:local', [], 'shop'),
    'RBAC: allowed by RoleBinding "some/shop" of Role "peek" to ServiceAccount "local/shop"',
  )
  assert.equal(
    reason('ann', [], 'yard'),
    'RBAC: allowed by RoleBinding "widely/yard" of ClusterRole "look" to User "ann"',
  )
  for (const [name, groups, namespace] of [
    ['x', ['clerks'], 'yard'],
    ['ann', [], ''],
    ['ann', [], 'shop'],
    ['lords', [], ''],
    ['system:serviceaccount:yard:robot', [], 'shop'],
    ['system:serviceaccount:yard:local', [], 'shop'],
  ] as const) {
    assert.equal(reason(name, groups, namespace), '', `${name} in ${namespace}`)
  }
})

test('a binding to a role that is not there gives nothing, and the refusal says so', () => {
  const policy = policyOf(
    clusterRoleBinding('b', 'ClusterRole/gone', [user('ann')]),
    roleBinding('c', 'Role/left', [user('ann'), group('clerks')]),
  )
  const wish = ask('list core/pods shop')
  const { allowed, reason } = policy.decide(ANN, wish)
  const left = 'role.rbac.authorization.k8s.io "left" not found'
  const gone = 'clusterrole.rbac.authorization.k8s.io "gone" not found'
  assert.deepEqual([allowed, reason], [false, `RBAC: [${gone}, ${left}]`])
  assert.equal(
    refusal(ANN, wish, reason).message,
    `pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "shop": RBAC: [${gone}, ${left}]`,
  )
  assert.equal(policy.decide(ANN, ask('list core/pods')).reason, `RBAC: ${gone}`)
})

test('refusals read as those of Kubernetes', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['get /metrics', 'forbidden: User "ann" cannot get path "/metrics"'],
    [
      'patch apps/deployments/scale shop web',
      'deployments.apps "web" is forbidden: User "ann" cannot patch resource "deployments/scale" in API group "apps" in the namespace "shop"',
    ],
    [
      'list core/nodes',
      'nodes is forbidden: User "ann" cannot list resource "nodes" in API group "" at the cluster scope',
    ],
    ['get /<b>', 'forbidden: User "ann" cannot get path "/&lt;b&gt;"'],
  ]
  for (const [wish, text] of cases) assert.equal(refusal(ANN, ask(wish), '').message, text)
})

test('changed and removed objects count at once', () => {
  const policy = policyOf(role('r', [allow('get', 'pods')]), roleBinding('b', 'Role/r', [user('ann')]))
  const may = (text: string) => policy.decide(ANN, ask(text)).allowed
  assert.ok(may('get core/pods shop x'))
  policy.put('roles', role('r', [allow('list', 'pods')]))
  assert.deepEqual([may('get core/pods shop x'), may('list core/pods shop')], [false, true])
  policy.put('rolebindings', roleBinding('b', 'Role/r', [user('eve')]))
  assert.ok(!may('list core/pods shop'))
  policy.put('rolebindings', roleBinding('b', 'Role/r', [group('clerks')]))
  assert.ok(may('list core/pods shop'))
  policy.remove('roles', 'shop', 'r')
  assert.ok(!may('list core/pods shop'))
  policy.put('roles', role('r', [allow('list', 'pods')]))
  policy.remove('rolebindings', 'shop', 'b')
  assert.ok(!may('list core/pods shop'))
})

test('all rules of somebody are listed once, with what is missing', () => {
  const policy = policyOf(
    clusterRole('look', [allow('get', 'pods')]),
    role('peek', [allow('get', 'secrets')]),
    clusterRoleBinding('a', 'ClusterRole/look', [user('ann'), group('clerks')]),
    roleBinding('b', 'Role/peek', [user('ann')]),
    roleBinding('c', 'Role/gone', [user('ann')]),
  )
  const resources = (namespace: string) => policy.rulesFor(ANN, namespace).rules.map(({ resources: [first] }) => first)
  assert.deepEqual([resources(''), resources('shop')], [['pods'], ['pods', 'secrets']])
  assert.deepEqual(policy.rulesFor(ANN, 'shop').errors, ['role.rbac.authorization.k8s.io "gone" not found'])
})
