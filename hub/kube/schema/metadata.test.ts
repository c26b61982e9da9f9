import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fieldErrorText } from './field-error.ts'
import { validateMetadata } from './metadata.ts'

const device = { group: 'devices.kubeedge.io', kind: 'Device', namespaced: true } as const
const node = { group: '', kind: 'Node', namespaced: false } as const
const namespace = { group: '', kind: 'Namespace', namespaced: false } as const
const good = { name: 'pump-1', namespace: 'default' } as const

test('good metadata has nothing wrong', () => {
  const labels = { app: 'x', 'example.com/a.b_c-D': '', long: 'a'.repeat(63) }
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'u', controller: true }
  const metadata = { ...good, labels, annotations: { 'Example.com/Note': 'any text\n' }, ownerReferences: [owner] }
  assert.deepEqual(validateMetadata(device, metadata), [])
})

test('each fault is named with its field', () => {
  const cases: readonly (readonly [Parameters<typeof validateMetadata>[0], Record<string, unknown>, RegExp])[] = [
    [device, { namespace: 'default' }, /^metadata.name: Required value: name or generateName is required$/],
    [
      device,
      { ...good, name: 'Pump' },
      /^metadata.name: Invalid value: "Pump": a lowercase RFC 1123 subdomain must consist/,
    ],
    [namespace, { name: 'a.b' }, /^metadata.name: Invalid value: "a.b": a lowercase RFC 1123 label must consist/],
    [device, { ...good, name: 'a'.repeat(254) }, /must be no more than 253 bytes$/],
    [device, { name: 'a' }, /^metadata.namespace: Required value$/],
    [node, { name: 'a', namespace: 'b' }, /^metadata.namespace: Forbidden: not allowed on this type$/],
    [device, { ...good, labels: { 'a b': 'c' } }, /^metadata.labels: Invalid value: "a b": name part must consist/],
    [device, { ...good, labels: { a: '-' } }, /^metadata.labels: Invalid value: "-": a valid label must be/],
    [device, { ...good, labels: { 'a/b/c': '' } }, /a qualified name must consist of an optional DNS subdomain prefix/],
    [device, { ...good, labels: { '/b': '' } }, /prefix part must be non-empty/],
    [
      device,
      { ...good, annotations: { a: 'x'.repeat(262_144) } },
      /^metadata.annotations: Too long: may not be more than 262144 bytes$/,
    ],
    [device, { ...good, finalizers: ['a/b/c'] }, /^metadata.finalizers: Invalid value: "a\/b\/c"/],
    [
      device,
      { ...good, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x' }] },
      /^metadata.ownerReferences\[0\].uid: Invalid value: "": must not be empty$/,
    ],
  ]
  for (const [definition, metadata, expected] of cases) {
    const errors = validateMetadata(definition, JSON.parse(JSON.stringify(metadata)))
    assert.equal(errors.length, 1, JSON.stringify(metadata).slice(0, 80))
    assert.match(errors.map(fieldErrorText).join(), expected)
  }
})

test('what a name was generated from may end in a dash, and is looked at like the name', () => {
  assert.deepEqual(validateMetadata(device, { ...good, generateName: 'pump-' }), [])
  const errors = validateMetadata(device, { ...good, name: 'Pump-1', generateName: 'Pump-' })
  assert.deepEqual(
    errors.map(({ field }) => field),
    ['metadata.generateName', 'metadata.name'],
  )
})

test('identity does not change, and old names stay editable', () => {
  const errors = validateMetadata(device, { ...good, uid: 'b' }, { ...good, uid: 'a' })
  assert.deepEqual(errors.map(fieldErrorText), ['metadata.uid: Invalid value: "b": field is immutable'])
  assert.deepEqual(validateMetadata(device, { ...good, name: 'Old' }, { ...good, name: 'Old' }), [])
})

test('only one owner controls', () => {
  const owner = (name: string) => ({ apiVersion: 'v1', kind: 'Pod', name, uid: name, controller: true })
  const errors = validateMetadata(device, { ...good, ownerReferences: [owner('a'), owner('b')] })
  assert.match(errors.map(fieldErrorText).join(), /Only one reference can have Controller set to true.* for a and b$/)
})
