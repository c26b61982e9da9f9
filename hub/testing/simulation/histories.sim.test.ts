import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { after, test } from 'node:test'
import { Gate } from './gate.ts'

/** Their seeds are 0 and on. */
const HISTORIES = 10_000
/** Histories of one test. */
const GROUP = 200

const gate = new Gate(availableParallelism())
after(() => gate[Symbol.dispose]())

for (let first = 0; first < HISTORIES; first += GROUP) {
  const seeds = Array.from({ length: GROUP }, (_, index) => String(first + index))
  const living = gate.live(seeds)
  test(`histories ${first} to ${first + GROUP - 1}: whatever fails, all promises hold`, async () => {
    assert.deepEqual(await living, [])
  })
}
