import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ByteQueue } from './byte-queue.ts'

test('what goes in comes out in its order, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constant(undefined))), (steps) => {
      const queue = new ByteQueue()
      const put: number[] = []
      const got: number[] = []
      for (const step of steps) {
        if (step) {
          queue.push(step)
          put.push(...step)
        } else got.push(...(queue.shift() ?? []))
        assert.equal(queue.length, put.length - got.length)
      }
      for (let data = queue.shift(); data; data = queue.shift()) got.push(...data)
      assert.deepEqual(got, put)
    }),
  )
})

test('a hundred thousand single bytes lie in a few blocks, which hold nothing of the buffers they came in', () => {
  const queue = new ByteQueue()
  for (let count = 0; count < 100_000; count++) queue.push(Buffer.alloc(1, count))
  const blocks: Buffer[] = []
  for (let data = queue.shift(); data; data = queue.shift()) blocks.push(data)
  assert.ok(blocks.length < 20, `${blocks.length} blocks`)
  assert.ok(blocks.reduce((sum, { buffer }) => sum + buffer.byteLength, 0) < 120_000)
})
