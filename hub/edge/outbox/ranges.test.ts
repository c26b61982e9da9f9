import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rangesOf } from './ranges.ts'

test('ranges name each number once, nothing else, and as few runs as there can be', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 60 })), (numbers) => {
      const ranges = rangesOf(numbers)
      const named = ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, at) => first + at))
      assert.deepEqual(
        named,
        numbers.toSorted((one, other) => one - other),
      )
      for (const [at, { first }] of ranges.entries()) assert.ok(at === 0 || first > (ranges[at - 1]?.last ?? 0) + 1)
    }),
  )
})
