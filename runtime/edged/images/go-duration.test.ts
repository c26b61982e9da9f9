import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goDuration } from './go-duration.ts'

test('durations are printed as Go prints them', () => {
  const cases = [
    [0, '0s'],
    [850, '850ms'],
    [1250.4, '1.25s'],
    [60_000, '1m0s'],
    [120_500, '2m0.5s'],
    [3_603_000, '1h0m3s'],
  ] as const
  for (const [milliseconds, text] of cases) assert.equal(goDuration(milliseconds), text)
})
