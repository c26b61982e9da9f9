import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Device,
  type DeviceReport,
  type PropertyReading,
  parseTwin,
  TIME_TO_LIVE_ANNOTATION,
  type Twin,
} from '../../schemas/index.ts'
import { lamp, lampModel } from '../testing/edge.ts'
import { adopt } from './adopt.ts'
import { confirmedBy, expire, withConfirmations } from './age.ts'
import { documentOf, getResult } from './messages.ts'
import { applyReport } from './report.ts'
import { applyUpdate, TWIN_LIMITS } from './update.ts'

function aging(text: string | undefined, device: Device = lamp()): Device {
  const annotations = text === undefined ? {} : { annotations: { [TIME_TO_LIVE_ANNOTATION]: text } }
  return { ...device, metadata: { ...device.metadata, ...annotations } }
}

const adopted = (text: string | undefined, before?: Twin, now = 1) =>
  adopt(before, { device: aging(text), model: lampModel() }, now)

const good = (value: string, now: number): PropertyReading => ({
  ...{ property: 'brightness', value, sourceTime: now, quality: 'good' },
})
const failed = (now: number): PropertyReading => ({
  ...{ property: 'brightness', sourceTime: now, quality: 'bad', cause: 'no answer' },
})

const read = (twin: Twin, now: number, ...readings: readonly PropertyReading[]): Twin =>
  applyReport(twin, { id: twin.id, readings, writes: [] } satisfies DeviceReport, TWIN_LIMITS, now)

const reported = (twin: Twin) => twin.properties['brightness']?.reported

test('a time to live comes from the annotations and goes with them', () => {
  const twin = read(adopted('brightness=10s'), 100, good('7', 90))
  assert.equal(twin.properties['brightness']?.timeToLive, 10_000)
  assert.equal(twin.properties['power']?.timeToLive, undefined)
  assert.equal(adopted('brightness=10s', twin, 200), twin)
  const stale = expire(twin, new Map([['brightness', 10_100]]))
  const longer = adopted('brightness=1m', stale, 20_000)
  assert.deepEqual([longer.properties['brightness']?.timeToLive, reported(longer)?.stale], [60_000, true])
  const without = adopted(undefined, stale, 20_000)
  assert.deepEqual([without.properties['brightness']?.timeToLive, reported(without)], [undefined, reported(twin)])
  // Its model is not here yet: what was known holds on.
  assert.equal(adopt(twin, { device: aging('brightness=1m') }, 300).properties['brightness']?.timeToLive, 10_000)
})

test('nobody had to confirm a value before it got its time to live', () => {
  const twin = read(adopted(undefined), 100, good('7', 90))
  assert.equal(reported(adopted('*=10s', twin, 50_000))?.confirmed, 50_000)
})

test('what becomes stale is a change of its own; value, times and versions stay', () => {
  const twin = read(adopted('*=10s'), 100, good('7', 90))
  const stale = expire(
    twin,
    new Map([
      ['brightness', 10_100],
      ['power', 10_100],
      ['nobody', 1],
    ]),
  )
  assert.equal(stale.revision, twin.revision + 1)
  assert.deepEqual(reported(stale), { ...reported(twin), stale: true, staleSince: 10_100 })
  assert.equal(stale.properties['power']?.reported, undefined, 'what was never read is unknown, not stale')
  assert.equal(expire(stale, new Map([['brightness', 20_000]])), stale)
  assert.deepEqual(parseTwin(JSON.stringify(stale)), stale)
  const document = documentOf({ event_id: '', timestamp: 1 }, twin, stale)
  assert.deepEqual(document?.twin['brightness']?.current?.actual, {
    ...{ value: '7', metadata: { timestamp: 100, sourceTime: 90, stale: true, staleSince: 10_100 } },
  })
})

test('any reading makes it fresh, also of the same value; a failed one does not', () => {
  const stale = expire(read(adopted('*=10s'), 100, good('7', 90)), new Map([['brightness', 10_100]]))
  const doubted = read(stale, 20_000, failed(20_000))
  assert.deepEqual(reported(doubted), {
    ...{ value: '7', timestamp: 100, sourceTime: 90, quality: 'bad', cause: 'no answer' },
    ...{ stale: true, staleSince: 10_100, confirmed: 100, version: { cloud: 1, edge: 2 } },
  })
  for (const before of [stale, doubted]) {
    const fresh = read(before, 30_000, good('7', 29_990))
    const { version, ...rest } = reported(fresh) ?? assert.fail()
    assert.deepEqual(rest, { value: '7', timestamp: 30_000, sourceTime: 29_990, quality: 'good' })
    assert.ok(version.edge > 1)
  }
  const client = applyUpdate(
    stale,
    { eventId: '', twin: new Map([['brightness', { actual: '7' }]]) },
    TWIN_LIMITS,
    40_000,
  )
  assert.ok(client.ok)
  assert.deepEqual([reported(client.twin)?.stale, reported(client.twin)?.timestamp], [undefined, 40_000])
})

test('only a reading that the twin holds now confirms', () => {
  const twin = read(adopted('brightness=10s'), 100, good('7', 90))
  const confirms = (...readings: readonly PropertyReading[]) =>
    confirmedBy(
      read(twin, 200, ...readings),
      readings.map((reading) => [reading.property, reading] as const),
    )
  assert.deepEqual(confirms(good('7', 200)), ['brightness'])
  assert.deepEqual(confirms(good('8', 200)), ['brightness'])
  assert.deepEqual(confirms({ ...good('7', 200), quality: 'uncertain' }), ['brightness'])
  assert.deepEqual(confirms(failed(200)), [])
  assert.deepEqual(confirms(good('seven', 200)), [])
  assert.deepEqual(confirms(good('7', 200), failed(201)), [])
  assert.deepEqual(confirms({ ...good('1', 200), property: 'power' }), [], 'nobody watches its age')
})

test('a value of another type is a failed reading, never stored', () => {
  const twin = read(adopted(undefined), 100, good('7', 90))
  for (const [value, cause] of [
    ['seven', /must be an integer/],
    ['7.0', /must be an integer/],
    ['9223372036854775808', /64 bits/],
    ['\ud800', /not valid Unicode/],
    ['7'.repeat(TWIN_LIMITS.valueBytes + 1), /longer than 65536 bytes/],
  ] as const) {
    const after = reported(read(twin, 200, good(value, 190)))
    assert.deepEqual([after?.value, after?.quality, after?.timestamp], ['7', 'bad', 100])
    assert.match(after?.cause ?? '', cause)
  }
  const endless = read(twin, 200, { ...failed(200), cause: '\ud83d\ude00'.repeat(5000) })
  assert.ok(JSON.stringify(endless).length < 5000 && reported(endless)?.cause?.isWellFormed())
})

test('clients see source time, quality and cause where there is something to say', () => {
  const base = { event_id: '', timestamp: 1 }
  const actual = (reading: PropertyReading) =>
    getResult(base, read(adopted(undefined), 100, reading)).twin['brightness']?.actual
  assert.deepEqual(actual(good('7', 100)), { value: '7', metadata: { timestamp: 100 } })
  assert.deepEqual(actual({ ...good('7', 90), quality: 'uncertain', cause: 'drifts' }), {
    ...{ value: '7', metadata: { timestamp: 100, sourceTime: 90, quality: 'uncertain', cause: 'drifts' } },
  })
})

test('a client may report a quality, and a failed reading without a value', () => {
  const twin = read(adopted('*=10s'), 100, good('7', 90))
  const update = (change: object, before = twin) => {
    const updated = applyUpdate(before, { eventId: '', twin: new Map([['brightness', change]]) }, TWIN_LIMITS, 200)
    return updated.ok ? reported(updated.twin) : updated.reason
  }
  const bad = update({ actualQuality: 'bad', actualCause: 'wire cut' })
  assert.deepEqual(bad, {
    ...reported(twin),
    quality: 'bad',
    cause: 'wire cut',
    confirmed: 100,
    version: { cloud: 1, edge: 2 },
  })
  const doubted = update({ actual: '8', actualQuality: 'uncertain', actualTime: 150 })
  assert.ok(typeof doubted === 'object')
  assert.deepEqual(
    [doubted.value, doubted.quality, doubted.sourceTime, doubted.timestamp],
    ['8', 'uncertain', 150, 200],
  )
  const blind = update({ actual: '8', actualQuality: 'bad' })
  assert.ok(typeof blind === 'object')
  assert.deepEqual([blind.value, blind.cause], ['8', 'reported as bad by an MQTT client'])
  assert.match(String(update({ actual: 'x', actualQuality: 'bad' })), /must be an integer/)
})

test('the disk holds the last confirmations, and the twin in memory does not change for them', () => {
  const twin = read(adopted('brightness=10s'), 100, good('7', 90))
  const onDisk = withConfirmations(twin, (name) => (name === 'brightness' ? 5000 : undefined))
  assert.equal(reported(onDisk)?.confirmed, 5000)
  assert.deepEqual(
    withConfirmations(onDisk, () => undefined),
    onDisk,
  )
  const plain = adopted(undefined)
  assert.equal(
    withConfirmations(plain, () => 1),
    plain,
  )
})

test("KubeEdge's narrow rule refuses what its own edge would, and nothing else", () => {
  const limits = { ...TWIN_LIMITS, names: 'kubeedge' as const }
  const verdict = (name: string, change: object | null) => {
    const updated = applyUpdate(adopted(undefined), { eventId: '', twin: new Map([[name, change]]) }, limits, 1)
    return updated.ok
  }
  const allowed = 'azAZ09-_.,:/@#'
  assert.ok(verdict(allowed, { actual: allowed, expected: 'x'.repeat(512) }))
  assert.ok(verdict('n'.repeat(128), { actual: '' }))
  for (const name of ['', 'a b', 'a=b', '\u6e29\u5ea6', 'n'.repeat(129)])
    assert.ok(!verdict(name, { actual: '1' }), name)
  assert.ok(!verdict('a b', null))
  for (const text of ['a b', '{"a":1}', 'Zg==', '\u6e29\u5ea6', '100%', 'a+b', 'x'.repeat(513)]) {
    assert.ok(!verdict('a', { actual: text }), text)
    assert.ok(!verdict('a', { expected: text }), text)
  }
  fc.assert(fc.property(fc.string(), (text) => verdict('a', { actual: text }) === /^[\w\-.,:/@#]{0,512}$/.test(text)))
})

test('a property that could never be read says why, until it is', () => {
  const never = read(adopted('*=10s'), 100, failed(90))
  const { reported: none, unread } = never.properties['brightness'] ?? {}
  assert.deepEqual([none, unread], [undefined, { cause: 'no answer', timestamp: 100 }])
  assert.equal(read(never, 200, failed(190)), never)
  const base = { event_id: '', timestamp: 1 }
  assert.deepEqual(getResult(base, never).twin['brightness'], {
    ...{ optional: false, metadata: { type: 'int', quality: 'bad', cause: 'no answer' } },
  })
  assert.equal(expire(never, new Map([['brightness', 1]])), never)
  assert.deepEqual(parseTwin(JSON.stringify(never)), never)
  const once = read(never, 300, good('7', 300))
  assert.deepEqual([once.properties['brightness']?.unread, reported(once)?.value], [undefined, '7'])
})

test('what was recorded while nobody listened is taken where it is newer, and says nothing of the age of the value', () => {
  const recorded = (value: string, at: number): PropertyReading => ({ ...good(value, at), history: true })
  const twin = expire(read(adopted('*=10s'), 100, good('7', 90)), new Map([['brightness', 10_100]]))
  assert.equal(read(twin, 20_000, recorded('6', 90)), twin)
  const later = read(twin, 20_000, recorded('8', 5000))
  assert.deepEqual([reported(later)?.value, reported(later)?.sourceTime, reported(later)?.stale], ['8', 5000, true])
  assert.deepEqual(confirmedBy(later, [['brightness', recorded('8', 5000)]]), [])
  // What is read now counts, also where the clock of its source goes wrong.
  const now = read(later, 20_100, good('9', 4000))
  assert.deepEqual([reported(now)?.value, reported(now)?.stale], ['9', undefined])
})
