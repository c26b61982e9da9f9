import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '../../kube/status.ts'
import { StreamRoom } from './stream-room.ts'

const isRefused = (error: unknown) => error instanceof StatusError && error.status.code === 429
const jane = { name: 'jane', groups: [] }
const tom = { name: 'tom', groups: [] }

test('one user has so many streams, all together so many, and what ends makes room once', () => {
  const room = new StreamRoom({ most: 3, mostOfUser: 2 })
  const first = room.take(jane)
  room.take(jane)
  assert.throws(() => room.take(jane), isRefused)
  room.take(tom)
  assert.throws(() => room.take(tom), isRefused)
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  assert.equal(room.taken, 2)
  room.take(jane)
  assert.throws(() => room.take(tom), isRefused)
})
