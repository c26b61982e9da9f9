import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseReport } from '../../hub/cloud/device-controller/reports/reports.ts'
import { applySync, twinsForDevice } from '../../hub/cloud/device-controller/views/twin-view.ts'
import { toJson, twinRoute, twinSync } from '../../hub/edge/twins/twin-frames.ts'
import { decodeFrame, encodeFrame } from '../../hub/link/frame-codec.ts'
import { createFrameFactory } from '../../hub/link/index.ts'
import { toReading } from '../../mappers/host/values/reading.ts'
import { ms, seconds } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import {
  type DeviceModel,
  deviceOrders,
  type PropertyType,
  type PropertyValue,
  parseValue,
  reportDevices,
  twins,
} from '../../schemas/index.ts'
import { LAMP, lamp, lampModel, MemoryStore, settle, startTwins } from '../testing/edge.ts'

const ID = 'default/lamp'

function modelOf(type: PropertyType): DeviceModel {
  const properties = [{ name: 'brightness', type, accessMode: 'ReadWrite' as const }]
  return { ...lampModel(), spec: { protocol: 'modbus', properties } }
}

/** The text of a value at every station between a driver and the status of its Device. */
async function stations(t: Parameters<typeof startTwins>[0], type: PropertyType) {
  const disk = new MemoryStore()
  const clock = new FakeClock()
  const { bus, mqtt } = await startTwins(t, { devices: [[lamp(), modelOf(type)]], disk, clock })
  const frames = createFrameFactory({
    clock,
    random: { next: () => 0, bytes: (n) => new Uint8Array(n), uuid: () => 'u' },
  })
  return async (value: PropertyValue) => {
    const model = { name: 'brightness', type }
    const property = { ...model, accessMode: 'ReadWrite' as const }
    const visit = { id: Object('v'), device: {}, property, visitor: {} }
    const reading = toReading({ visit, model, collect: ms(1), isPolled: true }, { ok: true, value: { value } }, 1)
    assert.equal(reading.quality, 'good', reading.cause)
    await bus.request(reportDevices, [{ id: ID, readings: [structuredClone(reading)], writes: [] }], {
      deadline: seconds(5),
    })
    const onMqtt = await mqtt.ask(`${LAMP}/twin/get`, '{"event_id":"g"}')
    const twin = bus.get(twins, ID) ?? assert.fail()
    const content = toJson(twinSync(twin, [], true, { eventId: 'e', now: 1 }))
    const decoded = decodeFrame(encodeFrame(frames.make(twinRoute(ID), content)))
    assert.ok(decoded.ok)
    const report = parseReport(decoded.frame.route.resource, decoded.frame.content)
    assert.ok(report?.kind === 'twin')
    const [status] = twinsForDevice(lamp(), applySync(new Map(), report.sync))
    const stored: unknown = JSON.parse(disk.rows.get(ID) ?? '')
    return [
      reading.value,
      twin.properties['brightness']?.reported?.value,
      Reflect.get(Object(stored), 'properties').brightness.reported.value,
      onMqtt.twin['brightness']?.actual?.value,
      status?.reported?.value,
    ]
  }
}

test('a 64-bit integer keeps every digit from the driver to the status of its Device', async (t) => {
  const through = await stations(t, 'INT')
  const ends = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n, -(2n ** 53n) - 1n]
  const random = fc.sample(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), 50)
  for (const value of [...ends, ...random]) {
    for (const [station, text] of (await through(value)).entries())
      assert.deepEqual([station, text], [station, String(value)])
  }
})

test('any text keeps every character from the driver to the status of its Device', async (t) => {
  const through = await stations(t, 'STRING')
  const samples = [
    'a b',
    '{"a": [1, "\\u0000"]}',
    '温度 21°C',
    '🌡️👩‍🔧',
    'Zm9vYg==',
    'http://h/?q=a&b=%20',
    '\u0000\u001b\u2028\ufeff',
    'x'.repeat(65_536),
  ]
  for (const value of [...samples, ...fc.sample(fc.string({ unit: 'grapheme', minLength: 1 }), 50)]) {
    for (const [station, text] of (await through(value)).entries()) assert.deepEqual([station, text], [station, value])
  }
})

test('bytes keep every bit from the driver to the status of its Device', async (t) => {
  const through = await stations(t, 'BYTES')
  for (const value of [
    new Uint8Array(),
    new Uint8Array(256).map((_, index) => index),
    ...fc.sample(fc.uint8Array(), 20),
  ]) {
    const text = Buffer.from(value).toString('base64')
    assert.deepEqual(new Set(await through(value)), new Set([text]))
  }
})

test('a 64-bit integer keeps every digit from a wish to the order of the driver', async (t) => {
  const { mqtt, bus, assign } = await startTwins(t, { devices: [[lamp(), modelOf('INT')]] })
  const orderOf = () => bus.get(deviceOrders, ID)?.properties['brightness']?.value ?? ''
  for (const text of ['9223372036854775807', '-9223372036854775808', '9007199254740993']) {
    await mqtt.ask(`${LAMP}/twin/update`, { event_id: 'w', twin: { brightness: { expected: { value: text } } } })
    assert.deepEqual([orderOf(), mqtt.take('/delta')[0]?.message.delta], [text, { brightness: text }])
    const parsed = parseValue('INT', orderOf())
    assert.ok(parsed.ok && BigInt(String(parsed.value)) === BigInt(text))
  }
  assign(lamp({ generation: 2, brightness: '-9007199254740993' }), modelOf('INT'))
  await settle()
  assert.equal(orderOf(), '-9007199254740993')
})
