import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DueHeap } from './due-heap.ts'

test('takes out what falls due first, whatever was put and taken before', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 50 }), { nil: undefined })), (steps) => {
      const heap = new DueHeap<{ readonly at: number }>()
      const model: number[] = []
      for (const at of steps) {
        if (at === undefined) {
          model.sort((a, b) => a - b)
          assert.equal(heap.take()?.at, model.shift())
        } else {
          heap.put({ at })
          model.push(at)
        }
        assert.equal(heap.peek()?.at, model.length === 0 ? undefined : Math.min(...model))
        assert.equal(heap.size, model.length)
      }
      heap.retain(({ at }) => at % 2 === 0)
      assert.deepEqual(
        Array.from({ length: heap.size }, () => heap.take()?.at),
        model.filter((at) => at % 2 === 0).sort((a, b) => a - b),
      )
    }),
  )
})
