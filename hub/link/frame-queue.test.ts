import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FrameQueue } from './frame-queue.ts'

function start(limits: { most: number; mostBytes?: number; turn?: number }) {
  const told: boolean[] = []
  const queue = new FrameQueue<number>(limits, (isFull) => void told.push(isFull))
  return { queue, told }
}

test('it is full by number or by bytes, has room again at half of both, and takes one however large', async () => {
  for (const limits of [{ most: 4 }, { most: 1000, mostBytes: 40 }]) {
    const { queue, told } = start(limits)
    for (let count = 0; count < 4; count++) queue.push(count, 10)
    assert.deepEqual(told, [true])
    const taken: number[] = []
    for await (const item of queue) {
      taken.push(item)
      if (taken.length < 2) assert.deepEqual(told, [true])
      else break
    }
    assert.deepEqual([taken, told, queue.bytes], [[0, 1], [true, false], 20])
  }
  const { queue, told } = start({ most: 10, mostBytes: 5 })
  queue.push(1, 1000)
  assert.deepEqual(told, [true])
})

test('a reader of a full queue leaves others their turns', async () => {
  const { queue } = start({ most: 1000, turn: 32 })
  for (let count = 0; count < 1000; count++) queue.push(count)
  queue.close()
  let turns = 0
  let isReading = true
  const tick = () => {
    turns++
    if (isReading) setImmediate(tick)
  }
  setImmediate(tick)
  let taken = 0
  for await (const _item of queue) taken++
  isReading = false
  assert.equal(taken, 1000)
  assert.ok(turns >= 25, String(turns))
})

test('what is queued at the end is still read', async () => {
  const { queue } = start({ most: 10 })
  queue.push(1)
  queue.close()
  queue.push(2)
  const taken: number[] = []
  for await (const item of queue) taken.push(item)
  assert.deepEqual(taken, [1])
})
