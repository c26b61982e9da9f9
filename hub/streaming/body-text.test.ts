import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { seconds } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import { wordsOf } from './body-text.ts'

test('an answer that never ends says what came of it in ten seconds', async () => {
  const clock = new FakeClock()
  const answer = new PassThrough()
  answer.write('no such')
  const words = wordsOf(answer, 100, clock)
  await clock.advance(seconds(10))
  assert.equal(await words, 'no such')
  assert.equal(answer.destroyed, true)
})

test('of a long answer the beginning is enough', async () => {
  const answer = new PassThrough()
  answer.write('0123456789')
  assert.equal(await wordsOf(answer, 4, new FakeClock()), '0123')
})
