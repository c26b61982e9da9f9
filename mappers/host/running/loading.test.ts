import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { withinLoading } from './source.ts'

test('says of a mapper that waits for ever that it did not finish loading', async () => {
  const clock = new FakeClock()
  const loading = withinLoading(clock, seconds(30), undefined, () => new Promise(() => undefined))
  const told = assert.rejects(loading, (error) => {
    assert.ok(error instanceof Error && error.cause instanceof Error)
    assert.equal(error.cause.message, 'it did not finish loading within 30 s')
    return true
  })
  await clock.advance(seconds(30))
  await told
})
