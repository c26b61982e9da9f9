import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { durationText, parseDuration } from './duration-text.ts'

describe('durations on the command line', () => {
  for (const [text, milliseconds] of [
    ['30s', 30_000],
    ['5m', 300_000],
    ['24h', 86_400_000],
    ['7d', 604_800_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    ['10', 10_000],
  ] as const) {
    it(`${text} is ${milliseconds} ms`, () => assert.equal(parseDuration(text).milliseconds, milliseconds))
  }

  for (const text of ['', 'soon', '-5s', '5 weeks']) {
    it(`refuses "${text}" and says how to write it`, () => assert.throws(() => parseDuration(text), /30s, 5m or 24h/))
  }

  it('is told to people in the unit that fits', () => {
    assert.deepEqual([3000, 600_000, 10_800_000, 864_000_000].map(durationText), ['3 s', '10 min', '3 h', '10 d'])
  })
})
