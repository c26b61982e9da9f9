import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places } from './places.ts'

test('places are counted by holder and in sum, and each is given back once', () => {
  const places = new Places<string | undefined>()
  const first = places.take('ann')
  const second = places.take('ann')
  places.take(undefined)
  assert.deepEqual(
    [places.taken, places.takenBy('ann'), places.takenBy(undefined), places.takenBy('bob')],
    [3, 2, 1, 0],
  )
  first[Symbol.dispose]()
  first[Symbol.dispose]()
  assert.deepEqual([places.taken, places.takenBy('ann')], [2, 1])
  second[Symbol.dispose]()
  assert.deepEqual([places.taken, places.takenBy('ann')], [1, 0])
})
