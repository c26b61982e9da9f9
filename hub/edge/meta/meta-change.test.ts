import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Frame, Json } from '../../../schemas/index.ts'
import { metaChangeOf, supersedes } from './meta-change.ts'

const row = (resourceVersion: string, uid = 'u', value = resourceVersion) => ({
  key: 'a/device/b',
  type: 'device',
  uid,
  resourceVersion,
  value,
})

const frame = (operation: string, resource: string, content: Json, resourceversion?: string): Frame => ({
  header: { msg_id: 'm', timestamp: 0, ...(resourceversion === undefined ? {} : { resourceversion }) },
  route: { operation, resource },
  content,
})

test('of two versions of one object exactly the later one supersedes, whatever their length', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 30n }), fc.bigInt({ min: 0n, max: 10n ** 30n }), (a, b) => {
      assert.equal(supersedes(row(String(a)), row(String(b))), b > a)
    }),
  )
})

test('another object of the same name supersedes even with an older version', () => {
  assert.equal(supersedes(row('9', 'old'), row('1', 'new')), true)
  assert.equal(supersedes(undefined, row('1')), true)
})

test('versions that are no numbers supersede unless nothing changed', () => {
  assert.equal(supersedes(row('abc'), row('abd')), true)
  assert.equal(supersedes(row('abc'), row('abc')), false)
})

test('the version in the header goes before that of the object', () => {
  const content = { metadata: { uid: 'u', resourceVersion: '3' } }
  const change = metaChangeOf(frame('update', 'ns/pod/a', content, '4'))
  assert.deepEqual(change, {
    kind: 'put',
    isNew: false,
    row: { key: 'ns/pod/a', type: 'pod', uid: 'u', resourceVersion: '4', value: JSON.stringify(content) },
  })
})

test('a pod is only deleted by an object that says which', () => {
  assert.deepEqual(metaChangeOf(frame('delete', 'ns/pod/a', { metadata: { uid: 'u' } })), {
    kind: 'remove',
    key: 'ns/pod/a',
    uid: 'u',
  })
  assert.equal(metaChangeOf(frame('delete', 'ns/pod/a', 'gone')).kind, 'bad')
  assert.equal(metaChangeOf(frame('delete', 'ns/pod/a', { metadata: {} })).kind, 'bad')
  assert.equal(metaChangeOf(frame('delete', 'ns/configmap/a', null)).kind, 'remove')
})

test('content is read inline, as a text that holds JSON, and as the base64 that Go makes of bytes', () => {
  const object = { metadata: { uid: 'u', namespace: null, resourceVersion: 12 }, data: { a: 'ü' } }
  const text = JSON.stringify(object)
  for (const content of [object, text, Buffer.from(text).toString('base64')]) {
    const change = metaChangeOf(frame('update', 'ns/configmap/a', content))
    assert.ok(change.kind === 'put')
    assert.deepEqual([change.row.value, change.row.uid, change.row.resourceVersion], [text, 'u', '12'])
  }
  assert.equal(metaChangeOf(frame('update', 'ns/configmap/a', 'bm90IEpTT04=')).kind, 'bad')
})

test('cluster-scoped objects have one key, however a cloud spells it', () => {
  for (const resource of ['default/node/edge-1', 'null/node/edge-1']) {
    const change = metaChangeOf(frame('update', resource, { metadata: {} }))
    assert.equal(change.kind === 'put' && change.row.key, 'null/node/edge-1')
  }
  assert.deepEqual(metaChangeOf(frame('delete', 'x/persistentvolume/v', null)), {
    kind: 'remove',
    key: 'null/persistentvolume/v',
    uid: '',
  })
})

test('what is not understood says why', () => {
  assert.equal(metaChangeOf(frame('update', 'nothing', {})).kind, 'bad')
  assert.equal(metaChangeOf(frame('dance', 'ns/pod/a', {})).kind, 'bad')
  assert.equal(metaChangeOf(frame('update', 'ns/pod/a', [1])).kind, 'bad')
})
