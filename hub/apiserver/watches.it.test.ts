import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { at, configMap, done, MAPS, refused, until, watch } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

describe('watches', () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { history: 20 })
    // What every namespace gets is no part of what is watched here.
    await until(api, `${MAPS}/kube-root-ca.crt`, (map) => map !== undefined)
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const patch = (name: string, body: unknown) =>
    done(api, {
      method: 'PATCH',
      path: `${MAPS}/${name}`,
      body,
      headers: { 'content-type': 'application/merge-patch+json' },
    })
  const create = (body: unknown, path = MAPS) => done(api, { method: 'POST', path, body })
  const version = async () => String(at(await done(api, { path: MAPS }), 'metadata', 'resourceVersion'))

  it('go on from a version without missing or repeating anything', async () => {
    const from = await version()
    await create(configMap('before'))
    using watching = await watch(api, `${MAPS}?watch=true&resourceVersion=${from}`)
    await patch('before', { data: { key: '1' } })
    await done(api, { method: 'DELETE', path: `${MAPS}/before` })
    assert.deepEqual(await watching.take(3), ['ADDED before', 'MODIFIED before', 'DELETED before'])
  })

  it('begin with what is there when no version is given', async () => {
    await create(configMap('there'))
    using watching = await watch(api, `${MAPS}?watch=1`)
    assert.deepEqual(await watching.take(2), ['ADDED kube-root-ca.crt', 'ADDED there'])
    await done(api, { method: 'DELETE', path: `${MAPS}/there` })
    assert.deepEqual(await watching.take(1), ['DELETED there'])
  })

  it('with a selector, objects come and go with their labels', async () => {
    const from = await version()
    await create(configMap('painted'))
    using watching = await watch(api, `${MAPS}?watch=1&labelSelector=color%3Dred&resourceVersion=${from}`)
    await patch('painted', { metadata: { labels: { color: 'red' } } })
    await patch('painted', { data: { key: 'x' } })
    await patch('painted', { metadata: { labels: { color: 'blue' } } })
    await done(api, { method: 'DELETE', path: `${MAPS}/painted` })
    await create(configMap('last', { labels: { color: 'red' } }))
    assert.deepEqual(await watching.take(4), ['ADDED painted', 'MODIFIED painted', 'DELETED painted', 'ADDED last'])
  })

  it('say where the initial events end', async () => {
    const path =
      '/api/v1/namespaces?watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan'
    const present = at(await done(api, { path: '/api/v1/namespaces' }), 'items')
    using watching = await watch(api, path)
    await watching.take(Array.isArray(present) ? present.length : 0)
    const { type, object } = await watching.next()
    assert.equal(type, 'BOOKMARK')
    assert.equal(at(object, 'metadata', 'annotations', 'k8s.io/initial-events-end'), 'true')
    assert.ok(Number(at(object, 'metadata', 'resourceVersion')) > 0)
    assert.equal((await ask(api, { path: path.replace('&resourceVersionMatch=NotOlderThan', '') })).status, 422)
  })

  it('of a version that is forgotten are told to list again', async () => {
    const from = await version()
    await create(configMap('busy'))
    for (let count = 0; count < 60; count++) await patch('busy', { data: { key: String(count) } })
    for (const old of [from, String(Number(await version()) + 1000)]) {
      using watching = await watch(api, `${MAPS}?watch=1&resourceVersion=${old}`)
      const { type, object } = await watching.next()
      assert.deepEqual([type, at(object, 'code'), at(object, 'reason')], ['ERROR', 410, 'Expired'])
      await watching.ended
    }
  })

  it('end after the time that the client asked for', async () => {
    using watching = await watch(api, `${MAPS}?watch=1&timeoutSeconds=1`)
    await watching.ended
  })

  it('get a bookmark shortly before they end, so that the next one goes on from there', async () => {
    const from = await version()
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'elsewhere' } }, '/api/v1/namespaces')
    using watching = await watch(
      api,
      `${MAPS}?watch=1&timeoutSeconds=3&allowWatchBookmarks=true&resourceVersion=${from}`,
    )
    const { type, object } = await watching.next()
    assert.equal(type, 'BOOKMARK')
    assert.ok(Number(at(object, 'metadata', 'resourceVersion')) > Number(from))
    await watching.ended
  })

  it('that begin with a state that was not reached are told so', async () => {
    const query = 'sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan'
    using watching = await watch(api, `${MAPS}?watch=1&${query}&resourceVersion=99999999`)
    const { type, object } = await watching.next()
    assert.deepEqual([type, at(object, 'code'), at(object, 'reason')], ['ERROR', 504, 'Timeout'])
    await watching.ended
  })

  it('of one object stand below /watch/, and not on the object itself', async () => {
    await create(configMap('single'))
    await create(configMap('second'))
    using watching = await watch(api, MAPS.replace('/v1/', '/v1/watch/').concat('/single'))
    assert.deepEqual(await watching.take(1), ['ADDED single'])
    await done(api, { method: 'DELETE', path: `${MAPS}/second` })
    await done(api, { method: 'DELETE', path: `${MAPS}/single` })
    assert.deepEqual(await watching.take(1), ['DELETED single'])
    assert.equal(at(await done(api, { path: '/api/v1/namespaces/default?watch=1' }), 'kind'), 'Namespace')
  })

  it('below /watch/ tell of the object in the path, for which the right was asked, and of no other', async () => {
    const path = MAPS.replace('/v1/', '/v1/watch/').concat('/named?fieldSelector=')
    for (const selector of ['metadata.name=kube-root-ca.crt', 'metadata.name!=named', 'metadata.namespace=default']) {
      const { json } = await refused(api, { path: path + encodeURIComponent(selector) }, 400, 'BadRequest')
      assert.equal(at(json, 'message'), "fieldSelector metadata.name doesn't match requested name")
    }
    using watching = await watch(api, path + encodeURIComponent('metadata.name=named'))
    await create(configMap('named'))
    assert.deepEqual(await watching.take(1), ['ADDED named'])
  })

  it('show Tables when asked', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    using watching = await watch(api, '/api/v1/namespaces?watch=1', { accept })
    const { type, object } = await watching.next()
    assert.deepEqual([type, at(object, 'kind'), at(object, 'rows', 0, 'cells', 0)], ['ADDED', 'Table', 'default'])
    assert.equal(at(object, 'columnDefinitions', 0, 'name'), 'Name')
  })

  it('of one object tell of no other', async () => {
    using watching = await watch(api, '/api/v1/namespaces?watch=1&fieldSelector=metadata.name%3Dwatched')
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } }, '/api/v1/namespaces')
    await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'watched' } }, '/api/v1/namespaces')
    assert.deepEqual(await watching.take(1), ['ADDED watched'])
  })
})
