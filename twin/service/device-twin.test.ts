import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../platform/time/index.ts'
import {
  assignedDevices,
  deviceOrders,
  listed,
  type PropertyReading,
  reportDevices,
  reportStates,
  twins,
} from '../../schemas/index.ts'
import { LAMP, lamp, lampModel, MemoryStore, settle, startTwins } from '../testing/edge.ts'

const ID = 'default/lamp'
const NOW = 1_786_017_600_000
const DEADLINE = { deadline: seconds(5) }

const reading = (property: string, value: string): PropertyReading => ({
  ...{ property, value },
  ...{ sourceTime: NOW - 5, quality: 'good' },
})

test('C36, C37, C38: an unknown key makes a twin; result and document echo the event id and carry no versions', async (t) => {
  const { mqtt } = await startTwins(t)
  mqtt.take()
  await mqtt.send(`${LAMP}/twin/update`, {
    event_id: 'e-1',
    timestamp: 1,
    twin: { note: { actual: { value: 'a b=ü' } } },
  })
  const current = {
    ...{ actual: { value: 'a b=ü', metadata: { timestamp: NOW } }, optional: true, metadata: { type: 'string' } },
  }
  assert.deepEqual(mqtt.said, [
    { topic: `${LAMP}/twin/update/result`, message: { event_id: 'e-1', timestamp: NOW, twin: { note: current } } },
    {
      topic: `${LAMP}/twin/update/document`,
      message: { event_id: 'e-1', timestamp: NOW, twin: { note: { last: null, current } } },
    },
  ])
})

test('C39, C40: a delta names what differs, has an event id of its own, and ends when the device follows', async (t) => {
  const { mqtt, bus } = await startTwins(t)
  await mqtt.send(`${LAMP}/twin/update`, { event_id: 'e-2', twin: { brightness: { expected: { value: '80' } } } })
  const [delta] = mqtt.take('/delta')
  assert.deepEqual(delta?.message.delta, { brightness: '80' })
  assert.deepEqual(Object.keys(delta?.message.twin ?? {}), ['brightness'])
  assert.notEqual(delta?.message.event_id, 'e-2')
  const order = bus.get(deviceOrders, ID)?.properties['brightness']
  assert.equal(order?.value, '80')

  const writes = [{ property: 'brightness', orderId: order?.id ?? '', value: '80' }]
  const report = { id: ID, readings: [reading('brightness', '80')], writes }
  assert.deepEqual(await bus.request(reportDevices, [report], DEADLINE), { unknown: [] })
  assert.deepEqual(mqtt.take('/delta'), [])
  assert.deepEqual(bus.get(deviceOrders, ID), { properties: {} })
  assert.equal(bus.get(twins, ID)?.properties['brightness']?.reported?.sourceTime, NOW - 5)
})

test('C41, C42: null deletes what is optional, and optional never comes back', async (t) => {
  const { mqtt } = await startTwins(t)
  const update = (twin: object) => mqtt.ask(`${LAMP}/twin/update`, { event_id: 'd', twin })
  await update({ a: { actual: { value: '1' } }, b: { actual: { value: '1' }, optional: false } })
  const result = await update({ a: null, b: null, brightness: null })
  assert.equal(result.twin['a'], null)
  assert.equal(result.twin['b']?.actual?.value, '1')
  assert.equal(result.twin['brightness']?.optional, false)
  const [document] = mqtt.take('/document')
  assert.deepEqual(Object.keys(document?.message.twin ?? {}), ['a'])
  assert.equal(document?.message.twin['a']?.current, null)
  assert.equal((await update({ b: { optional: true } })).twin['b']?.optional, false)
})

test('C43 to C47: what is refused is answered on the topic of the caller, and nothing of it is taken', async (t) => {
  const { mqtt, disk } = await startTwins(t)
  const before = disk.writes
  const update = (twin: unknown) => mqtt.ask(`${LAMP}/twin/update`, { event_id: 'bad', twin })
  for (const twin of [
    { good: { actual: { value: '1' } }, brightness: { actual: { value: 'bright' } } },
    { good: { actual: { value: '1' } }, brightness: { expected: { value: '101' } } },
    { power: { expected: { value: '1' } } },
    { x: { actual: { value: 'yes' }, metadata: { type: 'boolean' } } },
    { x: { actual: { value: '1' }, metadata: { type: 'INT' } } },
    { x: { actual: {} } },
    { x: 5 },
    { ['x'.repeat(129)]: {} },
    { x: { actual: { value: 'x'.repeat(65_537) } } },
    [],
    undefined,
  ]) {
    const answer = await update(twin)
    assert.deepEqual([answer.event_id, answer.code, typeof answer.reason], ['bad', 400, 'string'], JSON.stringify(twin))
  }
  for (const action of ['twin/update', 'twin/get', 'state/update', 'state/get']) {
    const answer = await mqtt.ask(`${LAMP}/${action}`, '{"twin":')
    assert.deepEqual([answer.event_id, answer.code], ['', 400], action)
  }
  assert.equal(disk.writes, before)
  const nobody = '$hw/events/device/default/nobody'
  for (const [action, body] of [
    ['twin/update', { twin: { a: null } }],
    ['twin/get', {}],
    ['state/update', { state: 'online' }],
    ['state/get', {}],
  ] as const) {
    const answer = await mqtt.ask(`${nobody}/${action}`, { event_id: 'n', ...body })
    assert.deepEqual([answer.event_id, answer.code], ['n', 404], action)
  }
})

test('C46, C54: get gives everything; keys match in any case and unknown ones are ignored', async (t) => {
  const { mqtt } = await startTwins(t)
  await mqtt.send(`${LAMP}/twin/update`, {
    ...{ Event_ID: 'x', extra: [1] },
    Twin: { Note: { Actual: { Value: '7' }, MetaData: { Type: 'int' }, unknown: 1 } },
  })
  const answer = await mqtt.ask(`${LAMP}/twin/get`, { event_id: 'g-1' })
  assert.equal(answer.event_id, 'g-1')
  assert.deepEqual(Object.keys(answer.twin).sort(), ['Note', 'brightness', 'power'])
  assert.deepEqual(answer.twin['brightness'], { optional: false, metadata: { type: 'int' } })
  assert.equal(answer.twin['Note']?.actual?.value, '7')
  assert.equal((await mqtt.ask(`${LAMP}/twin/get`, '')).event_id, '')
})

test('C48 to C50: states in any case, kept as given; others are passed over', async (t) => {
  const { mqtt, disk } = await startTwins(t)
  const answer = await mqtt.ask(`${LAMP}/state/update`, { event_id: 's-1', State: 'Online' })
  assert.notEqual(answer.event_id, 's-1')
  assert.deepEqual(answer.device, { name: 'lamp', state: 'Online', lastOnlineTime: '2026-08-06T12:00:00Z' })
  const got = await mqtt.ask(`${LAMP}/state/get`, { event_id: 's-2' })
  assert.deepEqual([got.event_id, got.device], ['s-2', answer.device])
  const before = disk.writes
  mqtt.take()
  await mqtt.send(`${LAMP}/state/update`, { state: 'disconnected' })
  assert.deepEqual(mqtt.take(), [])
  assert.equal(disk.writes, before)
  assert.deepEqual((await mqtt.ask(`${LAMP}/state/update`, { state: 'offline' })).device, {
    ...{ name: 'lamp', state: 'offline' },
  })
})

test('C13, C51, C52: membership', async (t) => {
  const { mqtt, bus, assign } = await startTwins(t, { devices: [] })
  const get = '$hw/events/node/edge-1/membership/get'
  assert.deepEqual((await mqtt.ask(get, { event_id: 'm-0' })).devices, [])
  mqtt.take()
  assign(lamp(), lampModel())
  await settle()
  const member = { id: ID, name: 'lamp', description: 'desk lamp' }
  const [joined] = mqtt.take('membership/updated')
  assert.deepEqual([joined?.message.added_devices, joined?.message.removed_devices], [[member], null])
  const answer = await mqtt.ask(get, { event_id: 'm-1' })
  assert.deepEqual([answer.event_id, answer.devices], ['m-1', [{ ...member, state: 'unknown' }]])
  assert.equal((await mqtt.ask(get, '[')).code, 400)
  mqtt.take()
  bus.remove(assignedDevices, ID)
  await settle()
  const [left] = mqtt.take('membership/updated')
  assert.deepEqual([left?.message.added_devices, left?.message.removed_devices], [null, [member]])
  assert.equal(bus.get(twins, ID), undefined)
  assert.equal(bus.get(deviceOrders, ID), undefined)
  await mqtt.send('$hw/events/node/other/membership/get', '{}')
  assert.deepEqual(mqtt.take(), [])
})

test('C60: namespaces that are parts of the topic work; a bare name is the default namespace', async (t) => {
  const namespaces = ['dev', 'device', 'e', 'hw', 'ice', 'event']
  const { mqtt } = await startTwins(t, {
    devices: [...namespaces.map((namespace) => [lamp({ namespace }), lampModel()] as const), [lamp(), lampModel()]],
  })
  for (const namespace of namespaces) {
    const topic = `$hw/events/device/${namespace}/lamp/twin/update`
    const answer = await mqtt.ask(topic, { event_id: namespace, twin: { brightness: { actual: { value: '1' } } } })
    assert.deepEqual([answer.event_id, answer.code], [namespace, undefined])
  }
  const bare = '$hw/events/device/lamp/twin/update'
  const answer = await mqtt.ask(bare, { event_id: 'old', twin: { brightness: { expected: { value: '5' } } } })
  assert.equal(answer.twin['brightness']?.expected?.value, '5')
  assert.deepEqual(
    mqtt.take('/delta').map(({ topic }) => topic),
    [`${LAMP}/twin/update/delta`, `${bare}/delta`],
  )
})

test('nobody speaks for the cloud on MQTT', async (t) => {
  const { mqtt, disk } = await startTwins(t)
  const before = disk.writes
  mqtt.take()
  await mqtt.send(`${LAMP}/twin/cloud_updated`, { event_id: 'x', twin: { brightness: { expected: { value: '1' } } } })
  assert.deepEqual([mqtt.take(), disk.writes], [[], before])
})

test('a desired value of the cloud reaches MQTT clients and the mapper host', async (t) => {
  const { mqtt, bus, assign } = await startTwins(t)
  mqtt.take()
  assign(lamp({ generation: 2, brightness: '40' }), lampModel())
  await settle()
  assert.deepEqual(
    mqtt.said.map(({ topic }) => topic),
    [`${LAMP}/twin/update/document`, `${LAMP}/twin/update/delta`],
  )
  assert.equal(bus.get(deviceOrders, ID)?.properties['brightness']?.value, '40')
})

test('what the host says of a device that is gone is named to it', async (t) => {
  const { bus } = await startTwins(t)
  const readings = [reading('brightness', '1')]
  const reports = [ID, 'default/gone'].map((id) => ({ id, readings, writes: [] }))
  assert.deepEqual(await bus.request(reportDevices, reports, DEADLINE), { unknown: ['default/gone'] })
  const states = [ID, 'default/gone'].map((id) => ({ id, state: 'offline' as const, reason: 'no answer' }))
  assert.deepEqual(await bus.request(reportStates, states, DEADLINE), { unknown: ['default/gone'] })
  assert.equal(bus.get(twins, ID)?.stateReason, 'no answer')
})

test('an unchanged value costs no write and changes nothing', async (t) => {
  const { mqtt, bus, disk } = await startTwins(t)
  const report = { id: ID, readings: [reading('brightness', '7')], writes: [] }
  const update = { event_id: 'u', twin: { brightness: { actual: { value: '7' } } } }
  await bus.request(reportDevices, [report], DEADLINE)
  const before = [disk.writes, bus.get(twins, ID)]
  await bus.request(reportDevices, [report], DEADLINE)
  assert.equal((await mqtt.ask(`${LAMP}/twin/update`, update)).twin['brightness']?.actual?.value, '7')
  assert.deepEqual([disk.writes, bus.get(twins, ID)], before)
  assert.deepEqual(mqtt.take('/document'), [])
})

test('nothing is said before it is on disk; updates that wait go to disk together and are answered in order', async (t) => {
  const { mqtt, bus, disk } = await startTwins(t)
  mqtt.take()
  const before = [disk.writes, bus.get(twins, ID)] as const
  const release = disk.hold()
  const values = Array.from({ length: 50 }, (_, index) => String(index))
  const send = (value: string) =>
    mqtt.send(`${LAMP}/twin/update`, { event_id: value, twin: { brightness: { actual: { value } } } })
  const first = send(values[0] ?? '')
  await settle()
  const rest = values.slice(1).map(send)
  await settle()
  assert.deepEqual(mqtt.said, [])
  assert.equal(bus.get(twins, ID), before[1])
  release()
  await Promise.all([first, ...rest])
  const results = mqtt.take('/result')
  assert.deepEqual(
    results.map(({ message }) => [message.event_id, message.twin['brightness']?.actual?.value]),
    values.map((value) => [value, value]),
  )
  assert.equal(disk.writes, before[0] + 2)
})

test('devices do not wait for each other', async (t) => {
  const { mqtt, disk } = await startTwins(t, {
    devices: [
      [lamp(), lampModel()],
      [lamp({ name: 'other', uid: 'u-2' }), lampModel()],
    ],
  })
  const release = disk.hold()
  const slow = mqtt.send(`${LAMP}/twin/update`, { twin: { brightness: { actual: { value: '1' } } } })
  await settle()
  const answer = await mqtt.ask('$hw/events/device/default/other/twin/get', { event_id: 'g' })
  assert.equal(answer.event_id, 'g')
  release()
  await slow
})

test('a full disk is answered with 500, leaves the twin as it was, and heals', async (t) => {
  const { mqtt, bus, disk } = await startTwins(t)
  const update = (value: string) =>
    mqtt.ask(`${LAMP}/twin/update`, { event_id: value, twin: { brightness: { actual: { value } } } })
  await update('1')
  disk.fill()
  const answer = await update('2')
  assert.deepEqual([answer.event_id, answer.code], ['2', 500])
  assert.match(answer.reason ?? '', /disk is full/)
  assert.equal(bus.get(twins, ID)?.properties['brightness']?.reported?.value, '1')
  assert.equal((await mqtt.ask(`${LAMP}/twin/get`, {})).twin['brightness']?.actual?.value, '1')
  await assert.rejects(
    bus.request(reportDevices, [{ id: ID, readings: [reading('brightness', '3')], writes: [] }], DEADLINE),
    { code: 'TWIN_NOT_DURABLE' },
  )
  disk.failure = undefined
  assert.equal((await update('4')).twin['brightness']?.actual?.value, '4')
})

test('a device that could not be adopted is adopted when the disk is well again', async (t) => {
  const disk = new MemoryStore()
  disk.fill()
  const { bus, clock } = await startTwins(t, { disk })
  assert.equal(bus.get(twins, ID), undefined)
  disk.failure = undefined
  await clock.advance(seconds(1))
  assert.equal(bus.get(twins, ID)?.uid, 'u-1')
})

test('too many waiting changes are refused with 500', async (t) => {
  const { mqtt, disk } = await startTwins(t)
  const release = disk.hold()
  const send = (value: number) =>
    mqtt.send(`${LAMP}/twin/update`, { event_id: `${value}`, twin: { note: { actual: { value: `${value}` } } } })
  const first = send(0)
  await settle()
  mqtt.take()
  const rest = Array.from({ length: 2001 }, (_, index) => send(index + 1))
  await settle()
  assert.deepEqual(
    mqtt.take('/result').map(({ message }) => [message.event_id, message.code]),
    [['2001', 500]],
  )
  release()
  await Promise.all([first, ...rest])
})

test('a restart serves from the disk at once, and forgets a device only when the list of devices is whole', async (t) => {
  const first = await startTwins(t)
  await first.mqtt.send(`${LAMP}/twin/update`, { twin: { brightness: { expected: { value: '30' } } } })
  const order = first.bus.get(deviceOrders, ID)
  await first.stop()

  const { bus, mqtt } = await startTwins(t, { disk: first.disk, clock: first.clock, devices: [] })
  // The helper lists no device and says that this is all.
  assert.equal(bus.get(twins, ID), undefined)
  assert.equal(first.disk.rows.size, 0)
  assert.equal(mqtt.take('membership/updated').length, 1)

  const again = await startTwins(t)
  await again.mqtt.send(`${LAMP}/twin/update`, { twin: { brightness: { expected: { value: '30' } } } })
  const kept = again.bus.get(deviceOrders, ID)
  assert.deepEqual(kept, order)
  await again.stop()
  const third = await startTwins(t, { disk: again.disk, clock: again.clock, isListed: false, devices: [] })
  assert.deepEqual(third.bus.get(deviceOrders, ID), kept)
  assert.equal((await third.mqtt.ask(`${LAMP}/twin/get`, {})).twin['brightness']?.expected?.value, '30')
  third.assign(lamp(), lampModel())
  third.bus.set(listed, 'devices', true)
  await settle()
  assert.equal(third.bus.get(twins, ID)?.properties['brightness']?.desired?.origin, 'edge')
  assert.deepEqual(third.mqtt.take('membership/updated'), [])
})

test('a device made again under its name begins anew', async (t) => {
  const { mqtt, bus, assign } = await startTwins(t)
  await mqtt.send(`${LAMP}/twin/update`, { twin: { brightness: { actual: { value: '9' } } } })
  mqtt.take()
  assign(lamp({ uid: 'u-9' }), lampModel())
  await settle()
  assert.equal(bus.get(twins, ID)?.properties['brightness']?.reported, undefined)
  assert.equal(mqtt.take('membership/updated').length, 2)
})

test('a row that cannot be read is named and does not keep the others from starting', async (t) => {
  const disk = new MemoryStore()
  disk.rows.set('default/broken', '{"id":')
  const { bus, log } = await startTwins(t, { disk })
  assert.equal(bus.get(twins, ID)?.uid, 'u-1')
  assert.equal(log.messages('error').length, 1)
})

test('until the list of devices is whole a device that is not on it is no deleted one', async (t) => {
  const first = await startTwins(t)
  await first.stop()
  const { bus, assign } = await startTwins(t, { disk: first.disk, isListed: false, devices: [] })
  assign(lamp(), lampModel())
  bus.remove(assignedDevices, ID)
  await settle()
  assert.equal(bus.get(twins, ID)?.uid, 'u-1')
  bus.set(listed, 'devices', true)
  await settle()
  assert.equal(bus.get(twins, ID), undefined)
})

test('the host hears of its orders when they change, not with each reading', async (t) => {
  const { bus } = await startTwins(t, { devices: [[lamp({ brightness: '40' }), lampModel()]] })
  let heard = 0
  using _watch = bus.watch(deviceOrders, () => void heard++)
  for (const value of ['1', '2', '40', '3']) {
    await bus.request(reportDevices, [{ id: ID, readings: [reading('brightness', value)], writes: [] }], DEADLINE)
  }
  // What is there, gone with the value, back when the value leaves again.
  assert.equal(heard, 3)
})

test('makes no message that nobody would hear, and tells all of it to who comes later', async (t) => {
  const { mqtt } = await startTwins(t)
  mqtt.hasListeners = false
  mqtt.take()
  await mqtt.send(`${LAMP}/twin/update`, { event_id: 'e-1', twin: { brightness: { actual: { value: '7' } } } })
  assert.deepEqual(mqtt.take(), [])
  mqtt.hasListeners = true
  const { twin } = await mqtt.ask(`${LAMP}/twin/get`, {})
  assert.equal(twin['brightness']?.actual?.value, '7')
})
