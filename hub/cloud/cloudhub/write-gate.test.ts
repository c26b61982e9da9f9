import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { WriteGate } from './write-gate.ts'

function start(abreast: number, perSecond: number, burst: number) {
  const clock = new FakeClock()
  const gate = new WriteGate({ clock, abreast, perSecond, burst })
  const done: string[] = []
  const write = (name: string, isUrgent = false) =>
    void gate.pass(isUrgent, undefined, async () => void done.push(name))
  return { clock, gate, done, write }
}

test('a burst goes through at once, the rest at the rate', async () => {
  const { clock, gate, done, write } = start(10, 5, 3)
  for (let count = 0; count < 10; count++) write(String(count))
  await clock.advance(seconds(0))
  assert.deepEqual([done.length, gate.depth], [3, 7])
  await clock.advance(seconds(1))
  assert.equal(done.length, 8)
  await clock.advance(seconds(1))
  assert.deepEqual([done.length, gate.depth], [10, 0])
})

test('what a delivery waits for overtakes what can wait', async () => {
  const { clock, done, write } = start(1, 1000, 1)
  for (const name of ['a', 'b']) write(name)
  for (const name of ['x', 'y']) write(name, true)
  await clock.advance(seconds(1))
  assert.deepEqual(done, ['a', 'x', 'y', 'b'])
})

test('no more than so many are under way, and a failure gives its place back', async () => {
  const { clock, gate } = start(2, 1000, 1000)
  const writes = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
  let begun = 0
  const passing = writes.map(({ promise }) =>
    gate.pass(false, undefined, () => {
      begun++
      return promise
    }),
  )
  await clock.advance(seconds(1))
  assert.equal(begun, 2)
  writes[0]?.reject(new Error('refused'))
  await assert.rejects(passing[0] ?? Promise.resolve(), /refused/)
  await clock.advance(seconds(1))
  assert.equal(begun, 3)
  for (const { resolve } of writes) resolve()
  await Promise.all(passing.slice(1))
  assert.equal(begun, 4)
})

test('a write whose caller is gone is not made, and is not waited for', async () => {
  const { clock, gate } = start(1, 1, 1)
  await gate.pass(false, undefined, async () => undefined)
  const leaving = new AbortController()
  let isMade = false
  const late = gate.pass(false, leaving.signal, async () => {
    isMade = true
  })
  const rejected = assert.rejects(late, /gone/)
  leaving.abort(new Error('gone'))
  await rejected
  assert.equal(gate.depth, 0)
  await clock.advance(seconds(2))
  assert.equal(isMade, false)
})
