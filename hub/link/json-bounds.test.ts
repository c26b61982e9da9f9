import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeFrame } from './frame-codec.ts'
import { excessOf } from './json-bounds.ts'

test('no JSON of ordinary depth is refused, whatever its strings hold', () => {
  fc.assert(fc.property(fc.json({ maxDepth: 20 }), (text) => assert.equal(excessOf(text), undefined)))
  assert.equal(excessOf(JSON.stringify('[{"\\'.repeat(10_000))), undefined)
})

test('no text makes it throw', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('[', '{', '"', '\\', ',', ']', 'a') }),
      (text) => void excessOf(text),
    ),
  )
})

test('depth is refused in arrays, objects and both, and not in what closes again', () => {
  const nested = (open: string, close: string, depth: number) => `${open.repeat(depth)}1${close.repeat(depth)}`
  assert.equal(excessOf(nested('[', ']', 200)), undefined)
  assert.equal(excessOf(nested('[', ']', 201)), 'too deep')
  assert.equal(excessOf(nested('{"a":', '}', 201)), 'too deep')
  assert.equal(excessOf(nested('[{"\\"]":', '}]', 101)), 'too deep')
  assert.equal(excessOf(`[${'[],'.repeat(10_000)}1]`), undefined)
})

test('more values than a large object has are refused before they are made', () => {
  assert.equal(excessOf(`[${'0,'.repeat(1_000_001)}0]`), 'too many values')
  assert.equal(excessOf(`"${'0,'.repeat(2_000_000)}"`), undefined)
})

test('a key __proto__ is left out, however it is written, and others are not', () => {
  const content = (text: string) => {
    const decoded = decodeFrame(`{"header":{"msg_id":"a"},"route":{},"content":${text}}`)
    return decoded.ok ? decoded.frame.content : decoded.reason
  }
  assert.deepEqual(content('{"a":[{"__proto__":{"b":1}, "c":2}]}'), { a: [{ c: 2 }] })
  assert.deepEqual(content('{"\\u005f_proto__":{"b":1}, "c":2}'), { c: 2 })
  assert.deepEqual(content('{"__pr\\u006Fto__":{"b":1}, "c":"\\u003c"}'), { c: '<' })
  assert.deepEqual(content('{"proto":1,"text":"__proto__"}'), { proto: 1, text: '__proto__' })
})

test('ids and routes that are longer than any that is meant are refused', () => {
  const reason = (header: object, route: object = {}) => {
    const decoded = decodeFrame(JSON.stringify({ header, route }))
    return decoded.ok ? undefined : decoded.reason
  }
  assert.equal(reason({ msg_id: 'x'.repeat(512) }, { resource: 'x'.repeat(65_535) }), undefined)
  assert.equal(reason({ msg_id: 'x'.repeat(513) }), 'too long an id or route')
  assert.equal(reason({ msg_id: 'a' }, { source: 'x'.repeat(513) }), 'too long an id or route')
  assert.equal(reason({ msg_id: 'a' }, { resource: 'x'.repeat(70_001) }), 'too long an id or route')
})
