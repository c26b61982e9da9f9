import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeTwinUpdate } from './requests.ts'

const change = (actual: unknown) => {
  const decoded = decodeTwinUpdate(new TextEncoder().encode(JSON.stringify({ event_id: 'e', twin: { a: { actual } } })))
  return decoded.ok ? decoded.value.twin.get('a') : decoded.reason
}

test('a reading may come with its time, its quality and a cause, keys in any case', () => {
  const metadata = { Timestamp: 9, QUALITY: 'uncertain', Cause: 'drifts' }
  assert.deepEqual(change({ value: '1', metadata }), {
    ...{ actual: '1', actualTime: 9, actualQuality: 'uncertain', actualCause: 'drifts' },
  })
  // What the edge has said comes back as it was.
  assert.deepEqual(change({ value: '1', metadata: { timestamp: 9, sourcetime: 5, stale: true, staleSince: 7 } }), {
    ...{ actual: '1', actualTime: 5 },
  })
  assert.deepEqual(change({ value: '1', metadata: { timestamp: 0, quality: null, cause: null } }), { actual: '1' })
  assert.deepEqual(change({ value: '1', metadata: { quality: 'good', cause: 'none' } }), { actual: '1' })
})

test('only a bad reading may be without a value', () => {
  assert.deepEqual(change({ metadata: { quality: 'bad', cause: 'wire cut' } }), {
    ...{ actualQuality: 'bad', actualCause: 'wire cut' },
  })
  assert.match(String(change({ metadata: { quality: 'uncertain' } })), /actual.value is missing/)
  assert.match(String(change({ value: 5, metadata: { quality: 'bad' } })), /is not a string/)
})

test('metadata that cannot be meant is refused by name', () => {
  for (const [metadata, reason] of [
    [{ timestamp: '9' }, /timestamp is not a time/],
    [{ timestamp: -1 }, /timestamp is not a time/],
    [{ timestamp: 1.5 }, /timestamp is not a time/],
    [{ timestamp: 1e300 }, /timestamp is not a time/],
    [{ sourceTime: true }, /sourceTime is not a time/],
    [{ quality: 'Good' }, /quality is none of good, uncertain, bad/],
    [{ quality: 1 }, /quality is none/],
    [{ quality: 'bad', cause: 5 }, /cause is no text/],
    [{ quality: 'bad', cause: 'x'.repeat(1001) }, /cause is no text/],
    [{ quality: 'bad', cause: '\ud800' }, /cause is no text/],
    [[], /metadata is not an object/],
    ['now', /metadata is not an object/],
  ] as const)
    assert.match(String(change({ value: '1', metadata })), reason)
})

test('whatever the metadata is, a decoded reading is within what twins hold', () => {
  const metadata = fc.record(
    {
      timestamp: fc.oneof(fc.jsonValue(), fc.integer(), fc.double()),
      sourceTime: fc.oneof(fc.jsonValue(), fc.maxSafeInteger()),
      quality: fc.oneof(fc.jsonValue(), fc.constantFrom('good', 'uncertain', 'bad')),
      cause: fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary' })),
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.oneof(metadata, fc.jsonValue()), fc.option(fc.string(), { nil: undefined }), (given, value) => {
      const decoded = change({ value, metadata: given })
      if (typeof decoded === 'string') return decoded !== ''
      assert.ok(decoded)
      const { actual, actualTime = 1, actualQuality, actualCause = '' } = decoded
      assert.ok(actual !== undefined || actualQuality === 'bad')
      assert.ok(Number.isSafeInteger(actualTime) && actualTime > 0 && !Number.isNaN(new Date(actualTime).getTime()))
      assert.ok(actualCause.length <= 1000 && actualCause.isWellFormed())
      return actualCause === '' || actualQuality !== undefined
    }),
  )
})
