import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Lines } from './lines.ts'

test('lines are the same in whatever pieces they come', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n') })), (pieces) => {
      const lines = new Lines(1000)
      const all = [...pieces.flatMap((piece) => lines.take(piece)), lines.rest]
      assert.deepEqual(all, pieces.join('').split('\n'))
    }),
  )
})

test('a line that is too long is refused, in whatever pieces it comes', () => {
  const lines = new Lines(10_000)
  assert.deepEqual(lines.take('x\n'), ['x'])
  for (let count = 0; count < 10_000; count++) lines.take('x')
  assert.equal(lines.rest.length, 10_000)
  assert.throws(() => lines.take('x'), /larger than/)
})
