import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  at,
  configMap,
  done,
  gone,
  MAPS,
  refused,
  until,
  WIDGET_CRD,
  WIDGETS,
  watch,
  widget,
} from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

describe('deletion', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { crds: [WIDGET_CRD] })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const create = (path: string, body: unknown) => done(api, { method: 'POST', path, body })
  const remove = (path: string, body?: unknown) => ask(api, { method: 'DELETE', path, ...(body ? { body } : {}) })
  const patch = (path: string, body: unknown) =>
    ask(api, { method: 'PATCH', path, body, headers: { 'content-type': 'application/merge-patch+json' } })
  const owned = (name: string, owner: unknown, blocks = false) =>
    configMap(name, {
      ownerReferences: [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          name: at(owner, 'metadata', 'name'),
          uid: at(owner, 'metadata', 'uid'),
          blockOwnerDeletion: blocks,
        },
      ],
    })

  const owners = (object: unknown): readonly unknown[] => {
    const list = at(object, 'metadata', 'ownerReferences')
    return Array.isArray(list) ? list : []
  }

  it('answers with a Status that names what went', async () => {
    const made = await create(MAPS, configMap('plain'))
    const { json } = await remove(`${MAPS}/plain`)
    assert.deepEqual(at(json, 'details'), { name: 'plain', kind: 'configmaps', uid: at(made, 'metadata', 'uid') })
    await refused(api, { method: 'DELETE', path: `${MAPS}/plain` }, 404, 'NotFound')
  })

  it('keeps its preconditions', async () => {
    const made = await create(MAPS, configMap('guarded'))
    const uid = { method: 'DELETE', path: `${MAPS}/guarded`, body: { preconditions: { uid: 'another' } } }
    await refused(api, uid, 409, 'Conflict')
    await refused(api, { ...uid, body: { preconditions: { resourceVersion: '1' } } }, 409, 'Conflict')
    assert.equal((await remove(uid.path, { preconditions: { uid: at(made, 'metadata', 'uid') } })).status, 200)
  })

  it('waits for finalizers, takes no new ones, and ends with the last', async () => {
    await create(MAPS, configMap('held', { finalizers: ['acme.io/hold'] }))
    const { json } = await remove(`${MAPS}/held`)
    assert.ok(at(json, 'metadata', 'deletionTimestamp'))
    const more = await patch(`${MAPS}/held`, { metadata: { finalizers: ['acme.io/hold', 'acme.io/more'] } })
    assert.equal(more.status, 422)
    assert.equal((await patch(`${MAPS}/held`, { metadata: { finalizers: null } })).status, 200)
    await refused(api, { path: `${MAPS}/held` }, 404, 'NotFound')
  })

  it('of a pod on a node waits until its node says that it has ended', async () => {
    const pods = '/api/v1/namespaces/default/pods'
    const pod = (name: string, more = {}) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [{ name: 'main', image: 'busybox' }], ...more },
    })
    await create(pods, pod('bound', { nodeName: 'edge-1' }))
    const { json } = await remove(`${pods}/bound`)
    assert.equal(at(json, 'metadata', 'deletionGracePeriodSeconds'), 30)
    const soon = await remove(`${pods}/bound`, { gracePeriodSeconds: 5 })
    assert.equal(at(soon.json, 'metadata', 'deletionGracePeriodSeconds'), 5)
    const later = await remove(`${pods}/bound`, { gracePeriodSeconds: 60 })
    assert.equal(at(later.json, 'metadata', 'deletionGracePeriodSeconds'), 5)
    await remove(`${pods}/bound`, { gracePeriodSeconds: 0 })
    await refused(api, { path: `${pods}/bound` }, 404, 'NotFound')

    await create(pods, pod('unbound'))
    await remove(`${pods}/unbound`)
    await refused(api, { path: `${pods}/unbound` }, 404, 'NotFound')
  })

  it('in the background takes what the object owned', async () => {
    const owner = await create(MAPS, configMap('owner'))
    await create(MAPS, owned('child', owner))
    await remove(`${MAPS}/owner`)
    await gone(api, `${MAPS}/child`)
  })

  it('collects what is made for an owner that is gone', async () => {
    const owner = await create(MAPS, configMap('past'))
    await remove(`${MAPS}/past`)
    await create(MAPS, owned('late', owner))
    await gone(api, `${MAPS}/late`)
  })

  it('leaves what has another owner, or an owner of a kind that is not served', async () => {
    const [one, other] = [await create(MAPS, configMap('one')), await create(MAPS, configMap('other'))]
    const both = [owned('', one), owned('', other)].flatMap((map) => at(map, 'metadata', 'ownerReferences'))
    await create(MAPS, configMap('shared', { ownerReferences: both }))
    const unknown = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'x', uid: 'y' }
    await create(MAPS, configMap('foreign', { ownerReferences: [unknown] }))
    await create(MAPS, owned('witness', one))
    await remove(`${MAPS}/one`)
    // The witness went through the same collector, after the others were looked at.
    await gone(api, `${MAPS}/witness`)
    const shared = await until(api, `${MAPS}/shared`, (map) => owners(map).length === 1)
    assert.equal(at(owners(shared)[0], 'name'), 'other')
    await done(api, { path: `${MAPS}/foreign` })
  })

  it('in the foreground ends where objects own each other in a round, or themselves', async () => {
    const names = ['round-a', 'round-b', 'round-c', 'round-self']
    const made = await Promise.all(names.map((name) => create(MAPS, configMap(name))))
    const owners = [made[2], made[0], made[1], made[3]]
    for (const [index, name] of names.entries()) {
      const ownerReferences = at(owned(name, owners[index], true), 'metadata', 'ownerReferences')
      assert.equal((await patch(`${MAPS}/${name}`, { metadata: { ownerReferences } })).status, 200)
    }
    await remove(`${MAPS}/round-a`, { propagationPolicy: 'Foreground' })
    await remove(`${MAPS}/round-self`, { propagationPolicy: 'Foreground' })
    for (const name of names) await gone(api, `${MAPS}/${name}`)
  })

  it('reaches what has spaces in its name', async () => {
    const owner = await create(MAPS, configMap('of-role'))
    const path = '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles'
    const metadata = at(owned('reader of one', owner), 'metadata')
    await create(path, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules: [] })
    using watching = await watch(api, `${path}?watch=true&timeoutSeconds=20`)
    assert.deepEqual(await watching.take(1), ['ADDED reader of one'])
    await remove(`${MAPS}/of-role`)
    assert.deepEqual(await watching.take(1), ['DELETED reader of one'])
  })

  it('never takes an object of the cluster for an owner in a namespace', async () => {
    const roles = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
    const [owner, watched] = [await create(MAPS, configMap('local')), await create(MAPS, configMap('watched'))]
    const metadata = { name: 'wide', ownerReferences: owners(owned('', owner)) }
    await create(roles, { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata, rules: [] })
    await create(MAPS, owned('witness-of-wide', watched))
    await remove(`${MAPS}/local`)
    await remove(`${MAPS}/watched`)
    await gone(api, `${MAPS}/witness-of-wide`)
    await done(api, { path: `${roles}/wide` })
  })

  it('in the foreground goes after what it blocks for', async () => {
    const owner = await create(MAPS, configMap('first'))
    await create(MAPS, {
      ...owned('blocking', owner, true),
      metadata: { ...owned('blocking', owner, true).metadata, finalizers: ['acme.io/hold'] },
    })
    await remove(`${MAPS}/first`, { propagationPolicy: 'Foreground' })
    await until(api, `${MAPS}/blocking`, (object) => at(object, 'metadata', 'deletionTimestamp') !== undefined)
    assert.deepEqual(at(await done(api, { path: `${MAPS}/first` }), 'metadata', 'finalizers'), ['foregroundDeletion'])
    await patch(`${MAPS}/blocking`, { metadata: { finalizers: null } })
    await gone(api, `${MAPS}/first`)
  })

  it('in the foreground does not wait for what others own, or what is owned no more', async () => {
    const [owner, other] = [await create(MAPS, configMap('leaving')), await create(MAPS, configMap('staying'))]
    const both = [...owners(owned('', owner, true)), ...owners(owned('', other, true))]
    await create(MAPS, configMap('common', { ownerReferences: both }))
    const held = owned('let-go', owner, true)
    await create(MAPS, { ...held, metadata: { ...held.metadata, finalizers: ['acme.io/hold'] } })
    await remove(`${MAPS}/leaving`, { propagationPolicy: 'Foreground' })
    await until(api, `${MAPS}/let-go`, (object) => at(object, 'metadata', 'deletionTimestamp') !== undefined)
    await patch(`${MAPS}/let-go`, { metadata: { ownerReferences: null } })
    await gone(api, `${MAPS}/leaving`)
    assert.equal(owners(await done(api, { path: `${MAPS}/common` })).length, 1)
    await patch(`${MAPS}/let-go`, { metadata: { finalizers: null } })
  })

  it('goes as the last request says, else as its finalizers do', async () => {
    const owner = await create(MAPS, configMap('undecided', { finalizers: ['acme.io/hold'] }))
    await create(MAPS, { ...owned('dependent', owner, true), data: {} })
    await patch(`${MAPS}/dependent`, { metadata: { finalizers: ['acme.io/hold'] } })
    const finalizers = async (body?: unknown) =>
      at((await remove(`${MAPS}/undecided`, body)).json, 'metadata', 'finalizers')
    assert.deepEqual(await finalizers({ propagationPolicy: 'Foreground' }), ['acme.io/hold', 'foregroundDeletion'])
    assert.deepEqual(await finalizers(), ['acme.io/hold', 'foregroundDeletion'])
    assert.deepEqual(await finalizers({ propagationPolicy: 'Background' }), ['acme.io/hold'])
    await patch(`${MAPS}/undecided`, { metadata: { finalizers: null } })
    await gone(api, `${MAPS}/undecided`)
    await patch(`${MAPS}/dependent`, { metadata: { finalizers: null } })
  })

  it('orphaning keeps what the object owned', async () => {
    const owner = await create(MAPS, configMap('parent'))
    await create(MAPS, owned('orphan', owner))
    await remove(`${MAPS}/parent`, { propagationPolicy: 'Orphan' })
    await gone(api, `${MAPS}/parent`)
    assert.equal(at(await done(api, { path: `${MAPS}/orphan` }), 'metadata', 'ownerReferences'), undefined)
  })

  it('of a namespace empties it first, and nothing new comes in', async () => {
    const namespace = '/api/v1/namespaces/shop'
    await create('/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
    await create(`${namespace}/configmaps`, configMap('held', { finalizers: ['acme.io/hold'] }))
    await create(WIDGETS.replace('default', 'shop'), widget('w'))
    const { json } = await remove(namespace)
    assert.equal(at(json, 'status', 'phase'), 'Terminating')
    const late = { method: 'POST', path: `${namespace}/configmaps`, body: configMap('late') }
    const { json: why } = await refused(api, late, 403, 'Forbidden')
    assert.equal(at(why, 'details', 'causes', 0, 'reason'), 'NamespaceTerminating')
    await gone(api, `${WIDGETS.replace('default', 'shop')}/w`)
    await done(api, { path: namespace })
    await patch(`${namespace}/configmaps/held`, { metadata: { finalizers: null } })
    await gone(api, namespace)
    await refused(api, { method: 'DELETE', path: '/api/v1/namespaces/default' }, 403, 'Forbidden')
  })

  it('of a CustomResourceDefinition takes its objects along, and ends the kind', async () => {
    const crd = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.acme.io'
    await create(WIDGETS, { ...widget('held'), metadata: { name: 'held', finalizers: ['acme.io/hold'] } })
    await remove(crd)
    await until(api, `${WIDGETS}/held`, (object) => at(object, 'metadata', 'deletionTimestamp') !== undefined)
    await refused(api, { method: 'POST', path: WIDGETS, body: widget('late') }, 403, 'Forbidden')
    await patch(`${WIDGETS}/held`, { metadata: { finalizers: null } })
    await gone(api, crd)
    await refused(api, { path: WIDGETS }, 404, 'NotFound')
  })
})
