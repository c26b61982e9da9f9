import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { kubectl } from './testing/kubectl.ts'
import { at, configMap, done, MAPS, refused, until } from './testing/objects.ts'
import { asPerson, type Person } from './testing/people.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

const RBAC = '/apis/rbac.authorization.k8s.io/v1'
const LOCAL = `${RBAC}/namespaces/default`
const head = { apiVersion: 'rbac.authorization.k8s.io/v1' }
const roleRef = (kind: string, name: string) => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name })
const subject = (name: string) => ({ kind: 'User', name, apiGroup: 'rbac.authorization.k8s.io' })

describe('people with some rights', { skip: needs('kubectl') }, () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const person = (name: string, ...groups: readonly string[]): Promise<Person> => asPerson(api, name, groups)
  const post = (path: string, body: object) => done(api, { method: 'POST', path, body })
  const bind = (name: string, kind: string, role: string, who: string) =>
    post(`${LOCAL}/rolebindings`, {
      ...{ ...head, kind: 'RoleBinding', metadata: { name }, roleRef: roleRef(kind, role), subjects: [subject(who)] },
    })

  it('who may view sees the objects of the namespace, and no Secret and no other namespace', async () => {
    await bind('vera-views', 'ClusterRole', 'view', 'vera')
    const vera = await person('vera')
    await post(MAPS, configMap('menu'))
    const seen = await kubectl(vera, ['get', 'configmaps', 'menu', '-o', 'name'])
    assert.equal(seen.out, 'configmap/menu\n', seen.err)
    const secrets = await kubectl(vera, ['get', 'secrets'])
    assert.deepEqual(
      [secrets.code, secrets.err],
      [
        1,
        'Error from server (Forbidden): secrets is forbidden: User "vera" cannot list resource "secrets" in API group "" in the namespace "default"\n',
      ],
    )
    const others = await kubectl(vera, ['get', 'configmaps', '-n', 'kube-system'])
    assert.match(others.err, /cannot list resource "configmaps" in API group "" in the namespace "kube-system"/)
    const all = await kubectl(vera, ['get', 'pods', '-A'])
    assert.match(
      all.err,
      /pods is forbidden: User "vera" cannot list resource "pods" in API group "" at the cluster scope/,
    )
    const removed = await kubectl(vera, ['delete', 'configmap', 'menu'])
    assert.match(removed.err, /configmaps "menu" is forbidden: User "vera" cannot delete resource "configmaps"/)
    assert.equal((await kubectl(vera, ['get', 'namespace', 'default', '-o', 'name'])).out, 'namespace/default\n')
    const used = await kubectl(vera, ['auth', 'can-i', 'list', 'pods.metrics.k8s.io'])
    assert.equal(used.out, 'yes\n', 'what `kubectl top pods` asks for')
    assert.equal((await kubectl(vera, ['auth', 'can-i', 'list', 'pods.metrics.k8s.io', '-A'])).out, 'no\n')
  })

  it('a role for one object admits a list and a watch of that object', async () => {
    const rules = [
      { apiGroups: [''], resources: ['configmaps'], resourceNames: ['menu'], verbs: ['get', 'list', 'watch'] },
    ]
    await post(`${LOCAL}/roles`, { ...head, kind: 'Role', metadata: { name: 'menu' }, rules })
    await bind('nina-menu', 'Role', 'menu', 'nina')
    const nina = await person('nina')
    await done(nina, { path: `${MAPS}/menu` })
    await done(nina, { path: `${MAPS}?fieldSelector=metadata.name%3Dmenu` })
    await refused(nina, { path: MAPS }, 403, 'Forbidden')
    await refused(nina, { path: `${MAPS}?fieldSelector=metadata.name%21%3Dmenu` }, 403, 'Forbidden')
    const found = await refused(nina, { path: `${MAPS}?fieldSelector=metadata.name%3Dother` }, 403, 'Forbidden')
    assert.match(String(at(found.json, 'message')), /^configmaps "other" is forbidden/)
  })

  it('a subresource needs a right of its own', async () => {
    const rules = [{ apiGroups: [''], resources: ['pods'], verbs: ['*'] }]
    await post(`${LOCAL}/roles`, { ...head, kind: 'Role', metadata: { name: 'pods' }, rules })
    await bind('paul-pods', 'Role', 'pods', 'paul')
    const paul = await person('paul')
    const path = '/api/v1/namespaces/default/pods/till'
    await refused(paul, { path }, 404, 'NotFound')
    const { json } = await refused(paul, { path: `${path}/status` }, 403, 'Forbidden')
    assert.match(String(at(json, 'message')), /cannot get resource "pods\/status"/)
  })

  it('rights end with their binding, and change with their role', async () => {
    const olga = await person('olga', 'clerks')
    const rules = (verb: string) => [{ apiGroups: [''], resources: ['nodes'], verbs: [verb] }]
    await post(`${RBAC}/clusterroles`, {
      ...head,
      kind: 'ClusterRole',
      metadata: { name: 'nodes' },
      rules: rules('list'),
    })
    const subjects = [{ kind: 'Group', name: 'clerks' }]
    const binding = {
      ...head,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'clerks' },
      roleRef: roleRef('ClusterRole', 'nodes'),
    }
    await post(`${RBAC}/clusterrolebindings`, { ...binding, subjects })
    await done(olga, { path: '/api/v1/nodes' })
    const patch = { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' } }
    await done(api, { ...patch, path: `${RBAC}/clusterroles/nodes`, body: { rules: rules('get') } })
    await refused(olga, { path: '/api/v1/nodes' }, 403, 'Forbidden')
    await done(api, { ...patch, path: `${RBAC}/clusterroles/nodes`, body: { rules: rules('list') } })
    await done(olga, { path: '/api/v1/nodes' })
    await done(api, { method: 'DELETE', path: `${RBAC}/clusterroles/nodes` })
    const { json } = await refused(olga, { path: '/api/v1/nodes' }, 403, 'Forbidden')
    assert.match(String(at(json, 'message')), /: RBAC: clusterrole\.rbac\.authorization\.k8s\.io "nodes" not found$/)
    await done(api, { method: 'DELETE', path: `${RBAC}/clusterrolebindings/clerks` })
    const last = await refused(olga, { path: '/api/v1/nodes' }, 403, 'Forbidden')
    assert.match(String(at(last.json, 'message')), /at the cluster scope$/)
  })

  it('nobody gives more than he has', async () => {
    await bind('adam-administers', 'ClusterRole', 'admin', 'adam')
    const adam = await person('adam')
    const given = await kubectl(adam, ['create', 'rolebinding', 'more', '--clusterrole=cluster-admin', '--user=adam'])
    assert.equal(given.code, 1)
    assert.match(
      given.err,
      /^error: failed to create rolebinding: rolebindings\.rbac\.authorization\.k8s\.io "more" is forbidden: user "adam" \(groups=\["system:authenticated"\]\) is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\["\*"\], Resources:\["\*"\], Verbs:\["\*"\]\}\n\{NonResourceURLs:\["\*"\], Verbs:\["\*"\]\}\n$/,
    )
    const role = await kubectl(adam, ['create', 'role', 'nodes', '--verb=get', '--resource=nodes'])
    assert.match(role.err, /not currently held:\n\{APIGroups:\[""\], Resources:\["nodes"\], Verbs:\["get"\]\}/)
    const made = await kubectl(adam, ['create', 'role', 'maps', '--verb=get', '--resource=configmaps'])
    assert.equal(made.out, 'role.rbac.authorization.k8s.io/maps created\n', made.err)
    const viewer = await kubectl(adam, ['create', 'rolebinding', 'eva', '--clusterrole=view', '--user=eva'])
    assert.equal(viewer.code, 0, viewer.err)
    const missing = await kubectl(adam, ['create', 'rolebinding', 'lost', '--role=nowhere', '--user=eva'])
    assert.match(missing.err, /rolebindings\.rbac\.authorization\.k8s\.io "nowhere" not found/)
    const grown = await ask(adam, {
      method: 'PATCH',
      path: `${LOCAL}/roles/maps`,
      headers: { 'content-type': 'application/merge-patch+json' },
      body: { rules: [{ apiGroups: [''], resources: ['*'], verbs: ['*'] }] },
    })
    assert.equal(grown.status, 403)
  })

  it('an aggregated role grows and shrinks with those that it selects', async () => {
    const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }
    const rules = [{ apiGroups: ['acme.io'], resources: ['widgets'], verbs: ['get'] }]
    const has = (role: unknown) => JSON.stringify(at(role, 'rules')).includes('widgets')
    await post(`${RBAC}/clusterroles`, { ...head, kind: 'ClusterRole', metadata: { name: 'widgets', labels }, rules })
    await until(api, `${RBAC}/clusterroles/admin`, has)
    await done(api, { method: 'DELETE', path: `${RBAC}/clusterroles/widgets` })
    await until(api, `${RBAC}/clusterroles/admin`, (role) => !has(role))
  })

  it('the tables of roles and bindings are those of Kubernetes', async () => {
    const bindings = await kubectl(api, ['get', 'clusterrolebindings', 'cluster-admin', 'system:node', '-o', 'wide'])
    const [top = '', first = '', second = ''] = bindings.out.split('\n')
    assert.match(top, /^NAME +ROLE +AGE +USERS +GROUPS +SERVICEACCOUNTS$/)
    assert.match(first, /^cluster-admin +ClusterRole\/cluster-admin +\d+s +system:masters/)
    assert.match(second, /^system:node +ClusterRole\/system:node +\d+s\s*$/)
    const roles = await kubectl(api, ['get', 'clusterroles', 'view'])
    assert.match(roles.out, /^NAME +CREATED AT\nview +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n$/)
  })
})
