import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { documentAt, followPointer, parsePointer } from './pointer.ts'

test('the examples of RFC 6901 lead where it says', () => {
  const document = { foo: ['bar', 'baz'], '': 0, 'a/b': 1, 'm~n': 8, ' ': 7 }
  const expected = { '': document, '/foo': ['bar', 'baz'], '/foo/0': 'bar', '/': 0, '/a~1b': 1, '/m~0n': 8, '/ ': 7 }
  for (const [pointer, value] of Object.entries(expected))
    assert.deepEqual(followPointer(document, pointer), value, pointer)
  for (const pointer of ['/foo/2', '/foo/01', '/foo/-', '/toString', '/foo/length', '/foo/0/x']) {
    assert.equal(followPointer(document, pointer), undefined, pointer)
  }
  for (const text of ['foo', '/~', '/a~2b']) assert.equal(parsePointer(text), undefined, text)
})

test('every place of a document is found by its pointer', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { maxLength: 5 }), fc.integer(), (steps, value) => {
      const document = steps.reduceRight<unknown>((inner, step) => ({ [step]: inner }), value)
      const pointer = steps.map((step) => `/${step.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
      assert.deepEqual(followPointer(document, pointer), value)
    }),
  )
})

test('a document holds each value at its pointer', () => {
  const values = [
    ['/a/b', 1],
    ['/a/c~1d', 'x'],
  ] as const
  const document = documentAt(values)
  for (const [pointer, value] of values) assert.equal(followPointer(document, pointer), value, pointer)
})
