import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { at, configMap, done, MAPS, refused, until, WIDGET_CRD, WIDGETS, widget } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

describe('objects over HTTP', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { crds: [WIDGET_CRD] })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const create = (path: string, body: unknown) => done(api, { method: 'POST', path, body })
  const patch = (path: string, body: unknown, type = 'merge') =>
    ask(api, { method: 'PATCH', path, body, headers: { 'content-type': `application/${type}-patch+json` } })

  it('a name is taken once', async () => {
    await create(MAPS, configMap('once'))
    const { json } = await refused(api, { method: 'POST', path: MAPS, body: configMap('once') }, 409, 'AlreadyExists')
    assert.equal(at(json, 'message'), 'configmaps "once" already exists')
    assert.deepEqual(at(json, 'details'), { name: 'once', kind: 'configmaps' })
  })

  it('generates names', async () => {
    const body = { ...configMap(''), metadata: { generateName: 'made-' } }
    const [one, other] = [
      at(await create(MAPS, body), 'metadata', 'name'),
      at(await create(MAPS, body), 'metadata', 'name'),
    ]
    assert.match(String(one), /^made-[a-z0-9]{5}$/)
    assert.notEqual(one, other)
  })

  it('a dry run changes nothing', async () => {
    const made = await create(`${MAPS}?dryRun=All`, configMap('dry'))
    assert.ok(at(made, 'metadata', 'uid'))
    await refused(api, { path: `${MAPS}/dry` }, 404, 'NotFound')
    await create(MAPS, configMap('wet'))
    await done(api, { method: 'DELETE', path: `${MAPS}/wet?dryRun=All` })
    await patch(`${MAPS}/wet?dryRun=All`, { data: { key: 'other' } })
    assert.equal(at(await done(api, { path: `${MAPS}/wet` }), 'data', 'key'), 'value')
    await refused(
      api,
      { method: 'POST', path: MAPS, body: configMap('x'), headers: { accept: 'image/png' } },
      406,
      'NotAcceptable',
    )
    await refused(api, { method: 'POST', path: `${MAPS}?dryRun=Some`, body: configMap('x') }, 422, 'Invalid')
  })

  it('an update of an older version is a conflict', async () => {
    const first = await create(MAPS, configMap('raced'))
    await patch(`${MAPS}/raced`, { data: { key: 'theirs' } })
    await refused(api, { method: 'PUT', path: `${MAPS}/raced`, body: first }, 409, 'Conflict')
    const version = at(first, 'metadata', 'resourceVersion')
    const stale = { metadata: { resourceVersion: version }, data: { key: 'mine' } }
    assert.equal((await patch(`${MAPS}/raced`, stale)).status, 409)
  })

  it('an update that changes nothing makes no version', async () => {
    const made = await create(MAPS, configMap('still'))
    const { json } = await patch(`${MAPS}/still`, { data: { key: 'value' } })
    assert.equal(at(json, 'metadata', 'resourceVersion'), at(made, 'metadata', 'resourceVersion'))
  })

  it('only the server writes uid, creationTimestamp and generation', async () => {
    const made = await create(WIDGETS, widget('own'))
    const claim = { uid: 'mine', creationTimestamp: '2001-01-01T00:00:00Z', generation: 99 }
    assert.equal((await patch(`${WIDGETS}/own`, { metadata: claim })).status, 422)
    const { json } = await patch(`${WIDGETS}/own`, { metadata: { ...claim, uid: at(made, 'metadata', 'uid') } })
    for (const field of ['uid', 'creationTimestamp', 'generation']) {
      assert.equal(at(json, 'metadata', field), at(made, 'metadata', field), field)
    }
  })

  it('generation counts changes of the spec, not of metadata or status', async () => {
    const generation = async (path: string, body: unknown) =>
      at((await patch(path, body)).json, 'metadata', 'generation')
    await create(WIDGETS, widget('counted'))
    assert.equal(await generation(`${WIDGETS}/counted`, { metadata: { labels: { a: 'b' } } }), 1)
    assert.equal(await generation(`${WIDGETS}/counted/status`, { status: { ready: true } }), 1)
    assert.equal(await generation(`${WIDGETS}/counted`, { spec: { size: 2 } }), 2)
  })

  it('spec and status are written apart', async () => {
    const made = await create(WIDGETS, { ...widget('parts'), status: { ready: true } })
    assert.equal(at(made, 'status'), undefined)
    await patch(`${WIDGETS}/parts/status`, { spec: { size: 9 }, status: { ready: true } })
    await patch(`${WIDGETS}/parts`, { spec: { size: 3 }, status: { ready: false } })
    const object = await done(api, { path: `${WIDGETS}/parts/status` })
    assert.deepEqual([at(object, 'spec', 'size'), at(object, 'status', 'ready')], [3, true])
    await refused(api, { path: `${MAPS}/once/status` }, 404, 'NotFound')
  })

  it('a node says its status when it is made', async () => {
    const node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'edge-1' },
      status: { nodeInfo: { osImage: 'x' } },
    }
    const made = await create('/api/v1/nodes', node)
    assert.equal(at(made, 'status', 'nodeInfo', 'osImage'), 'x')
  })

  it('fields are defaulted, and wrong ones named', async () => {
    assert.equal(at(await create(WIDGETS, widget('colored')), 'spec', 'color'), 'red')
    const { json } = await refused(
      api,
      { method: 'POST', path: WIDGETS, body: widget('big', { size: 11 }) },
      422,
      'Invalid',
    )
    assert.equal(at(json, 'details', 'causes', 0, 'field'), 'spec.size')
    assert.match(String(at(json, 'message')), /^Widget.acme.io "big" is invalid: spec.size: Invalid value/)
  })

  it('unknown fields are refused, warned of or ignored, and never stored', async () => {
    const body = widget('loose', { size: 1, sise: 2 })
    const strict = { method: 'POST', path: `${WIDGETS}?fieldValidation=Strict`, body }
    const { json } = await refused(api, strict, 400, 'BadRequest')
    assert.match(String(at(json, 'message')), /strict decoding error: unknown field "spec.sise"/)
    const warned = await ask(api, { ...strict, path: `${WIDGETS}?fieldValidation=Warn` })
    assert.equal(warned.headers['warning'], '299 - "unknown field \\"spec.sise\\""')
    assert.equal(at(warned.json, 'spec', 'sise'), undefined)
    const ignored = await ask(api, {
      ...strict,
      path: `${WIDGETS}?fieldValidation=Ignore&dryRun=All`,
      body: widget('l2', { size: 1, b: 2 }),
    })
    assert.deepEqual([ignored.status, ignored.headers['warning']], [201, undefined])
  })

  it('other versions of a kind show the same objects', async () => {
    await create(WIDGETS, widget('versioned'))
    const old = await done(api, { path: `${WIDGETS.replace('v1', 'v1beta1')}/versioned` })
    assert.deepEqual([at(old, 'apiVersion'), at(old, 'spec', 'size')], ['acme.io/v1beta1', 1])
    await patch(`${WIDGETS.replace('v1', 'v1beta1')}/versioned`, { spec: { size: 4 } })
    const now = await done(api, { path: `${WIDGETS}/versioned` })
    assert.deepEqual([at(now, 'apiVersion'), at(now, 'spec', 'size')], ['acme.io/v1', 4])
  })

  it('patches as JSON, merge and strategic merge', async () => {
    await create(MAPS, configMap('patched'))
    const json = await patch(`${MAPS}/patched`, [{ op: 'add', path: '/data/b', value: '2' }], 'json')
    assert.deepEqual(at(json.json, 'data'), { key: 'value', b: '2' })
    const strategic = await patch(`${MAPS}/patched`, { data: { key: null } }, 'strategic-merge')
    assert.deepEqual(at(strategic.json, 'data'), { b: '2' })
    assert.equal((await patch(`${WIDGETS}/counted`, {}, 'strategic-merge')).status, 415)
    const failed = await patch(`${MAPS}/patched`, [{ op: 'remove', path: '/data/none' }], 'json')
    assert.equal(failed.status, 422)
  })

  it('lists in pages that are one state, whatever happens between them', async () => {
    const path = '/api/v1/namespaces/kube-public/configmaps'
    await until(api, `${path}/kube-root-ca.crt`, (map) => map !== undefined)
    for (const name of ['a', 'b', 'c', 'd']) await create(path, configMap(name))
    const first = await done(api, { path: `${path}?limit=2` })
    const token = String(at(first, 'metadata', 'continue'))
    assert.equal(at(first, 'metadata', 'remainingItemCount'), 3)
    await done(api, { method: 'DELETE', path: `${path}/d` })
    await create(path, configMap('e'))
    const second = await done(api, { path: `${path}?limit=3&continue=${token}` })
    assert.deepEqual(
      [names(first), names(second)],
      [
        ['a', 'b'],
        ['c', 'd', 'kube-root-ca.crt'],
      ],
    )
    assert.equal(at(second, 'metadata', 'resourceVersion'), at(first, 'metadata', 'resourceVersion'))
    assert.equal(at(second, 'metadata', 'continue'), undefined)
    await refused(api, { path: `${path}?continue=nonsense` }, 400, 'BadRequest')
  })

  it('selects by labels and fields', async () => {
    const path = '/api/v1/namespaces/kube-system/configmaps'
    await until(api, `${path}/kube-root-ca.crt`, (map) => map !== undefined)
    await create(path, configMap('red', { labels: { color: 'red' } }))
    await create(path, configMap('blue', { labels: { color: 'blue' } }))
    assert.deepEqual(names(await done(api, { path: `${path}?labelSelector=color%20in%20(red,green)` })), ['red'])
    const others = await done(api, { path: `${path}?fieldSelector=metadata.name!%3Dred` })
    assert.deepEqual(names(others), ['blue', 'kube-root-ca.crt'])
    await refused(api, { path: `${path}?fieldSelector=data.key%3D1` }, 400, 'BadRequest')
    await done(api, { method: 'DELETE', path: `${path}?labelSelector=color` })
    assert.deepEqual(names(await done(api, { path })), ['kube-root-ca.crt'])
  })

  it('shows Tables and metadata alone when asked', async () => {
    const table = await done(api, {
      path: `${WIDGETS}/counted`,
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' },
    })
    assert.deepEqual([at(table, 'kind'), at(table, 'columnDefinitions', 1, 'name')], ['Table', 'Size'])
    assert.deepEqual(at(table, 'rows', 0, 'cells', 1), 2)
    const partial = await done(api, {
      path: MAPS,
      headers: { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' },
    })
    assert.deepEqual([at(partial, 'kind'), at(partial, 'items', 0, 'data')], ['PartialObjectMetadataList', undefined])
  })

  it('objects stand where the URL says', async () => {
    const elsewhere = configMap('x', { namespace: 'kube-system' })
    await refused(api, { method: 'POST', path: MAPS, body: elsewhere }, 400, 'BadRequest')
    await refused(api, { method: 'POST', path: MAPS, body: widget('x') }, 400, 'BadRequest')
    const nowhere = MAPS.replace('default', 'nowhere')
    const { json } = await refused(api, { method: 'POST', path: nowhere, body: configMap('x') }, 404, 'NotFound')
    assert.equal(at(json, 'message'), 'namespaces "nowhere" not found')
    await refused(api, { method: 'PUT', path: `${MAPS}/once`, body: configMap('other') }, 400, 'BadRequest')
  })

  it('an event is the same object in both of its groups', async () => {
    const about = { kind: 'Node', name: 'edge-1' }
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'e1' },
      involvedObject: { ...about, namespace: 'default' },
      reason: 'Tested',
      message: 'text',
    }
    await create('/api/v1/namespaces/default/events', event)
    const other = await done(api, { path: '/apis/events.k8s.io/v1/namespaces/default/events/e1' })
    assert.deepEqual([at(other, 'note'), at(other, 'regarding', 'name')], ['text', 'edge-1'])
    const found = await done(api, { path: '/api/v1/events?fieldSelector=involvedObject.name%3Dedge-1' })
    assert.deepEqual(names(found), ['e1'])
  })

  it('what is not served is said to be so', async () => {
    await refused(api, { path: '/apis/apps/v1/statefulsets' }, 404, 'NotFound')
    await refused(api, { method: 'DELETE', path: '/api/v1/namespaces' }, 405, 'MethodNotAllowed')
    await refused(api, { method: 'POST', path: `${MAPS}/once`, body: configMap('once') }, 405, 'MethodNotAllowed')
  })
})

function names(list: unknown): readonly unknown[] {
  const items = at(list, 'items')
  return Array.isArray(items) ? items.map((item) => at(item, 'metadata', 'name')) : []
}
