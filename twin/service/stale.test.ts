import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../platform/health/index.ts'
import { ms, seconds } from '../../platform/time/index.ts'
import {
  type Device,
  type PropertyReading,
  reportDevices,
  TIME_TO_LIVE_ANNOTATION,
  twins,
} from '../../schemas/index.ts'
import { LAMP, lamp, lampModel, MemoryStore, settle, startTwins } from '../testing/edge.ts'

const ID = 'default/lamp'
const NOW = 1_786_017_600_000
const DEADLINE = { deadline: seconds(5) }

function aging(text: string, name = 'lamp'): Device {
  const device = lamp({ name, uid: `u-${name}` })
  return { ...device, metadata: { ...device.metadata, annotations: { [TIME_TO_LIVE_ANNOTATION]: text } } }
}

async function start(t: Parameters<typeof startTwins>[0], options: Parameters<typeof startTwins>[1] = {}) {
  const edge = await startTwins(t, { devices: [[aging('brightness=10s'), lampModel()]], ...options })
  const report = (value: string | undefined, id = ID) => {
    const reading: PropertyReading =
      value === undefined
        ? { property: 'brightness', sourceTime: edge.clock.now(), quality: 'bad', cause: 'no answer' }
        : { property: 'brightness', value, sourceTime: edge.clock.now(), quality: 'good' }
    return edge.bus.request(reportDevices, [{ id, readings: [reading], writes: [] }], DEADLINE)
  }
  const reported = (id = ID) => edge.bus.get(twins, id)?.properties['brightness']?.reported
  return { ...edge, report, reported }
}

test('a silent value becomes stale, on disk before it is told, and the next reading makes it fresh', async (t) => {
  const { clock, mqtt, bus, disk, report, reported } = await start(t)
  await report('7')
  const { revision = 0 } = bus.get(twins, ID) ?? {}
  mqtt.take()
  const release = disk.hold()
  await clock.advance(seconds(10))
  assert.deepEqual([reported()?.stale, mqtt.take()], [undefined, []])
  release()
  await settle()
  assert.deepEqual([reported()?.stale, reported()?.staleSince], [true, NOW + 10_000])
  assert.equal(bus.get(twins, ID)?.revision, revision + 1)
  const [document, ...more] = mqtt.take()
  assert.deepEqual([document?.topic, more], [`${LAMP}/twin/update/document`, []])
  assert.deepEqual(document?.message.twin['brightness']?.current?.actual?.metadata, {
    ...{ timestamp: NOW, stale: true, staleSince: NOW + 10_000 },
  })
  await report('7')
  assert.deepEqual([reported()?.stale, reported()?.timestamp], [undefined, NOW + 10_000])
  assert.equal(mqtt.take('/document').length, 1)
})

test('a value that is read again and again stays fresh and costs no write', async (t) => {
  const { clock, mqtt, disk, report, reported } = await start(t)
  await report('7')
  const { writes } = disk
  mqtt.take()
  for (let second = 0; second < 60; second += 3) {
    await clock.advance(seconds(3))
    await report('7')
  }
  assert.deepEqual([reported()?.stale, reported()?.timestamp, disk.writes, mqtt.take()], [undefined, NOW, writes, []])
  // Clients may keep a value fresh as well.
  await clock.advance(seconds(9))
  await mqtt.ask(`${LAMP}/twin/update`, { event_id: 'r', twin: { brightness: { actual: { value: '7' } } } })
  await clock.advance(ms(9999))
  assert.equal(reported()?.stale, undefined)
})

test('readings that fail do not keep a value fresh', async (t) => {
  const { clock, mqtt, report, reported } = await start(t)
  await report('7')
  for (let second = 0; second < 10; second++) {
    await clock.advance(seconds(1))
    await report(second % 2 ? undefined : 'seven')
    await mqtt.ask(`${LAMP}/twin/update`, {
      ...{ event_id: 'r', twin: { brightness: { actual: { metadata: { quality: 'bad', cause: 'wire cut' } } } } },
    })
  }
  await clock.advance(ms(20))
  assert.deepEqual([reported()?.value, reported()?.quality, reported()?.stale], ['7', 'bad', true])
})

test('a reading that waits for the disk in front of the change keeps the value fresh', async (t) => {
  const { clock, disk, mqtt, report, reported } = await start(t)
  await report('7')
  await clock.advance(ms(9990))
  const release = disk.hold()
  const other = mqtt.send(`${LAMP}/twin/update`, { event_id: 'o', twin: { note: { actual: { value: '1' } } } })
  await settle()
  const reading = report('7')
  await clock.advance(ms(100))
  release()
  await Promise.all([other, reading])
  await settle()
  assert.equal(reported()?.stale, undefined)
  await clock.advance(seconds(10))
  assert.equal(reported()?.stale, true)
})

test('while the disk is full a value is not told to be stale; it is as soon as the disk can hold it', async (t) => {
  const { clock, disk, mqtt, report, reported } = await start(t)
  await report('7')
  mqtt.take()
  disk.fill()
  await clock.advance(seconds(12))
  assert.deepEqual([reported()?.stale, mqtt.take()], [undefined, []])
  disk.failure = undefined
  await clock.advance(seconds(5))
  assert.deepEqual([reported()?.stale, reported()?.staleSince], [true, NOW + 10_000])
})

test('after a restart the age goes on, from the last confirmation after a clean stop', async (t) => {
  const disk = new MemoryStore()
  const first = await start(t, { disk })
  await first.report('7')
  for (let second = 0; second < 30; second += 3) {
    await first.clock.advance(seconds(3))
    await first.report('7')
  }
  await first.stop()
  const { clock } = first
  await clock.advance(seconds(4))
  const second = await start(t, { disk, clock })
  await clock.advance(ms(5999))
  assert.equal(second.reported()?.stale, undefined)
  await clock.advance(ms(1))
  assert.deepEqual([second.reported()?.stale, second.reported()?.staleSince], [true, NOW + 40_000])
  await second.stop()
  // Stale it is still after the next start, and one write makes it fresh.
  const third = await start(t, { disk, clock })
  assert.equal(third.reported()?.stale, true)
  await third.report('7')
  assert.equal(third.reported()?.stale, undefined)
})

test('after a crash the age counts from what is on disk, and never looks younger', async (t) => {
  const disk = new MemoryStore()
  const first = await start(t, { disk })
  await first.report('7')
  const crashed = new MemoryStore()
  for (const [id, document] of disk.rows) crashed.rows.set(id, document)
  await first.clock.advance(seconds(8))
  await first.report('7')
  const second = await start(t, { disk: crashed, clock: first.clock })
  await second.clock.advance(seconds(2))
  assert.equal(second.reported()?.stale, true)
})

test('two hundred devices wait on one timer, and become stale at once', async (t) => {
  const names = Array.from({ length: 200 }, (_, index) => `lamp-${index}`)
  const devices = names.map((name) => [aging('*=10s', name), lampModel()] as const)
  const { clock, bus, report } = await start(t, { devices })
  const before = clock.waiting
  await Promise.all(names.map((name) => report('7', `default/${name}`)))
  assert.equal(clock.waiting, before + 1)
  await clock.advance(seconds(11))
  await settle()
  const stale = names.filter((name) => bus.get(twins, `default/${name}`)?.properties['brightness']?.reported?.stale)
  assert.equal(stale.length, names.length)
  assert.equal(clock.waiting, before)
})

test('metrics count what is stale, what has become so, and each quality', async (t) => {
  const metrics = createMetrics()
  const { clock, report, assign } = await start(t, { metrics })
  const shows = async (...lines: readonly RegExp[]) => {
    const text = await metrics.text()
    for (const line of lines) assert.match(text, line)
  }
  await report('7')
  await shows(/skerry_twin_stale_properties 0/, /skerry_twin_properties\{quality="good"\} 1/)
  await clock.advance(seconds(11))
  await report(undefined)
  await shows(
    /skerry_twin_stale_properties 1/,
    /skerry_twin_expired_total 1/,
    /skerry_twin_properties\{quality="good"\} 0/,
    /skerry_twin_properties\{quality="bad"\} 1/,
  )
  await report('7')
  await shows(/skerry_twin_stale_properties 0/, /skerry_twin_expired_total 1/)
  // Another device of the same name.
  assign({ ...lamp({ uid: 'u-2' }) }, lampModel())
  await settle()
  await shows(/skerry_twin_properties\{quality="good"\} 0/)
})
