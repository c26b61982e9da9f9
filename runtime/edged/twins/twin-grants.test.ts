import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type SharedTwins, twinGrants } from './twin-grants.ts'

const grantsOf = (annotations: Readonly<Record<string, string>>, shared: readonly SharedTwins[] = []) =>
  twinGrants({ namespace: 'shop', annotations }, shared)

test('a pod without such an annotation gets no access', () => {
  assert.deepEqual(grantsOf({ 'example.com/twins': 'shop/door' }), {})
})

test('twins are named with their namespace, or alone where it is that of the pod', () => {
  assert.deepEqual(grantsOf({ 'twins.skerry.io/read': 'shop/door, lamp-*,', 'twins.skerry.io/write': '*' }), {
    grants: { read: ['shop/door', 'shop/lamp-*'], write: ['shop/*'] },
  })
})

test('a twin in both lists is one for writing', () => {
  assert.deepEqual(grantsOf({ 'twins.skerry.io/read': 'door,lamp', 'twins.skerry.io/write': 'shop/lamp' }), {
    grants: { read: ['shop/door'], write: ['shop/lamp'] },
  })
})

test('what cannot be granted is refused with the annotation and the name', () => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, RegExp])[] = [
    [{ 'twins.skerry.io/raed': 'door' }, /annotation twins\.skerry\.io\/raed is not known/],
    [{ 'twins.skerry.io/read': ' , ' }, /names no twin/],
    [{ 'twins.skerry.io/read': 'shop/door/open' }, /"shop\/door\/open" is not NAMESPACE\/DEVICE/],
    [{ 'twins.skerry.io/read': '*/door' }, /"\*\/door" is not NAMESPACE\/DEVICE: one namespace/],
    [{ 'twins.skerry.io/read': 'shop/#' }, /a name, which may end in \*/],
    [{ 'twins.skerry.io/read': 'shop/+' }, /a name, which may end in \*/],
    [{ 'twins.skerry.io/write': 'sho*/door' }, /one namespace, written out/],
    [{ 'twins.skerry.io/write': 'shop/d*r' }, /a name, which may end in \*/],
    [{ 'twins.skerry.io/read': Array.from({ length: 257 }, (_, n) => `d-${n}`).join() }, /more than 256 twins/],
  ]
  for (const [annotations, message] of cases) {
    const found = grantsOf(annotations)
    assert.ok('refusal' in found, JSON.stringify(annotations))
    assert.match(found.refusal.message, message)
    assert.equal(found.refusal.reason, 'InvalidTwinAccess')
  }
})

test('twins of another namespace are granted only where the node shares all that the name stands for', () => {
  const shared: readonly SharedTwins[] = [
    { namespace: 'sho*', twins: ['plant/pump-*'], access: 'read' },
    { namespace: 'shop', twins: ['lab/meter'], access: 'write' },
    { namespace: 'other', twins: ['*/*'], access: 'write' },
  ]
  const isGranted = (key: 'read' | 'write', twin: string) =>
    'grants' in grantsOf({ [`twins.skerry.io/${key}`]: twin }, shared)
  const all = [
    'plant/pump-1',
    'plant/pump-1*',
    'plant/pump-*',
    'plant/pump',
    'plant/*',
    'lab/meter',
    'lab/meter*',
    'shop2/a',
  ]
  assert.deepEqual(
    all.filter((twin) => isGranted('read', twin)),
    ['plant/pump-1', 'plant/pump-1*', 'plant/pump-*', 'lab/meter'],
  )
  assert.deepEqual(
    all.filter((twin) => isGranted('write', twin)),
    ['lab/meter'],
  )
})
