import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceOrders, type MsgTwin, twins } from '../../schemas/index.ts'
import { LAMP, lamp, lampModel } from '../testing/edge.ts'
import { startNode } from '../testing/mqtt-node.ts'

/** What an unmodified client of KubeEdge relies on, as MQTT clients and the cloud see it. Numbered as in the compatibility page. */

const ID = 'default/lamp'
const UPDATE = `${LAMP}/twin/update`
const EVENTS = '$hw/events/'
const actual = (value: string, type?: string) => ({ actual: { value }, ...(type ? { metadata: { type } } : {}) })
const expected = (value: string) => ({ expected: { value } })

function closeToNow(timestamp: number | undefined): boolean {
  return timestamp !== undefined && Math.abs(performance.timeOrigin + performance.now() - timestamp) < 30_000
}

test('C35 the edge hears the six patterns of KubeEdge', async (t) => {
  const { filters } = await startNode(t)
  for (const filter of [
    '$hw/events/upload/#',
    '$hw/events/device/+/+/state/update',
    '$hw/events/device/+/+/twin/+',
    '$hw/events/node/+/membership/get',
    'SYS/dis/upload_records',
    '+/user/#',
  ])
    assert.equal(filters.filter((each) => each === filter).length, 1, filter)
})

test('C36 twin/update is answered with the event id, the present time and no versions', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  const answer = await client.ask(UPDATE, { event_id: 'e-1', timestamp: 5, twin: { brightness: actual('70') } })
  const { timestamp, ...rest } = answer
  assert.ok(closeToNow(timestamp))
  const time = answer.twin['brightness']?.actual?.metadata?.timestamp
  assert.ok(closeToNow(time))
  assert.deepEqual(rest, {
    event_id: 'e-1',
    twin: {
      brightness: {
        actual: { value: '70', metadata: { timestamp: time } },
        optional: false,
        metadata: { type: 'int' },
      },
    },
  })
})

test('C37 an unknown key makes a property: optional, of type string', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  const { twin } = await client.ask(UPDATE, { twin: { note: expected('x'), size: actual('5', 'int') } })
  assert.deepEqual(
    [twin['note']?.optional, twin['note']?.metadata, twin['size']?.metadata],
    [true, { type: 'string' }, { type: 'int' }],
  )
})

test('C38 document has last and current, null where there is none', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen(`${UPDATE}/document`)
  const documents: object[] = []
  for (const change of [actual('1'), actual('2'), null]) {
    await client.say(UPDATE, { event_id: 'd', twin: { note: change } })
    const { event_id, twin } = await client.next(`${UPDATE}/document`)
    const { last, current } = twin['note'] ?? {}
    documents.push([event_id, valueIn(last), valueIn(current)])
    assert.doesNotMatch(JSON.stringify(twin), /version/)
  }
  assert.deepEqual(documents, [
    ['d', null, '1'],
    ['d', '1', '2'],
    ['d', '2', null],
  ])
})

test('C39 delta lists every wish, and under delta what is open, with an event id of its own', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen(`${UPDATE}/delta`)
  const both = { a: { ...expected('1'), actual: { value: '1' } }, b: { ...expected('2'), actual: { value: '3' } } }
  await client.say(UPDATE, { event_id: 'e', twin: { ...both, c: actual('9'), d: { expected: { value: '' } } } })
  const { event_id, twin, delta } = await client.next(`${UPDATE}/delta`)
  assert.notEqual(event_id, 'e')
  assert.deepEqual([Object.keys(twin).sort(), delta], [['a', 'b'], { b: '2' }])
})

test('C40 there is no delta where nothing differs', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen(`${UPDATE}/delta`)
  await client.say(UPDATE, { twin: { brightness: { ...expected('5'), actual: { value: '5' } } } })
  assert.deepEqual(await client.drain(), [])
})

test('C41 null deletes what is optional and passes over what is not', async (t) => {
  const { listen, bus } = await startNode(t)
  const client = await listen()
  await client.say(UPDATE, { twin: { a: actual('1'), b: { ...actual('1'), optional: false } } })
  const { twin } = await client.ask(UPDATE, { event_id: 'n', twin: { a: null, b: null, brightness: null, c: null } })
  assert.deepEqual(
    [twin['a'], twin['c'], twin['b']?.actual?.value, twin['brightness']?.optional],
    [null, null, '1', false],
  )
  assert.deepEqual(Object.keys(bus.get(twins, ID)?.properties ?? {}).sort(), ['b', 'brightness', 'power'])
})

test('C42 optional goes from true to false and never back', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  const optional: unknown[] = []
  for (const given of [undefined, false, true]) {
    const { twin } = await client.ask(UPDATE, { twin: { a: { ...actual('1'), optional: given } } })
    optional.push(twin['a']?.optional)
  }
  assert.deepEqual(optional, [true, false, false])
})

test('C43 values are checked by type: int, integer, float, double, boolean, string, bytes, stream; others are refused', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  let count = 0
  const codeOf = async (type: string, value: string) =>
    (await client.ask(UPDATE, { twin: { [`p${++count}`]: actual(value, type) } })).code
  for (const [type, good, bad] of [
    ['int', '-12', '1.5'],
    ['integer', '9223372036854775807', '9223372036854775808'],
    ['float', '1e-3', 'one'],
    ['double', '1.5', ''],
    ['boolean', 'true', 'True'],
    ['string', 'any', undefined],
    ['bytes', 'AAEC', undefined],
    ['stream', 'rtsp://x', undefined],
  ] as const) {
    assert.equal(await codeOf(type, good), undefined, type)
    if (bad !== undefined) assert.equal(await codeOf(type, bad), 400, type)
  }
  for (const type of ['INT', 'Boolean', 'object', 'deleted']) assert.equal(await codeOf(type, '1'), 400, type)
  const { twin } = await client.ask(UPDATE, { twin: { p1: actual('7', 'string') } })
  assert.equal(twin['p1']?.metadata?.type, 'int')
})

test('C44 names and values may hold any text, up to their bounds', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  const name = 'Temp. (°C) = {"x"}?'
  const { twin, code } = await client.ask(UPDATE, { twin: { [name]: actual('{"a": "ü + %"}') } })
  assert.deepEqual([code, twin[name]?.actual?.value], [undefined, '{"a": "ü + %"}'])
  for (const bad of [{ '': actual('1') }, { ['x'.repeat(129)]: actual('1') }, { x: actual('v'.repeat(65_537)) }])
    assert.equal((await client.ask(UPDATE, { twin: bad })).code, 400)
})

test('C45 an unknown device is answered with 404 on its own topic', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  for (const [action, body] of [
    ['twin/update', { twin: { a: actual('1') } }],
    ['twin/get', {}],
    ['state/update', { state: 'online' }],
    ['state/get', {}],
  ] as const) {
    const answer = await client.ask(`$hw/events/device/default/nobody/${action}`, { event_id: action, ...body })
    assert.deepEqual([answer.event_id, answer.code, typeof answer.reason], [action, 404, 'string'])
  }
})

test('C46 twin/get gives every property, without versions and without those that were deleted', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  await client.say(UPDATE, {
    twin: { a: actual('1'), b: actual('2'), brightness: { ...expected('5'), ...actual('4') } },
  })
  await client.say(UPDATE, { twin: { a: null } })
  const { event_id, twin } = await client.ask(`${LAMP}/twin/get`, { event_id: 'g-1', timestamp: 0 })
  assert.deepEqual([event_id, Object.keys(twin).sort()], ['g-1', ['b', 'brightness', 'power']])
  assert.deepEqual([twin['brightness']?.expected?.value, twin['brightness']?.actual?.value], ['5', '4'])
  assert.doesNotMatch(JSON.stringify(twin), /version/)
})

test('C47 what is no JSON is answered with 400, on the topic of the caller', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  for (const action of ['twin/get', 'twin/update', 'state/update', 'state/get'])
    assert.equal((await client.ask(`${LAMP}/${action}`, '{"event_id":')).code, 400, action)
  const bad = await client.ask(UPDATE, { event_id: 'bad', twin: { brightness: actual('bright') } })
  assert.deepEqual([bad.event_id, bad.code], ['bad', 400])
})

test('C48 five states are taken in any case and kept as given; others are passed over', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  for (const state of ['Online', 'OFFLINE', 'ok', 'Unknown', 'unHealthy'])
    assert.equal((await client.ask(`${LAMP}/state/update`, { state })).device?.state, state)
  await client.drain()
  await client.say(`${LAMP}/state/update`, { state: 'disconnected' })
  assert.deepEqual(await client.drain(), [])
  const { device, event_id } = await client.ask(`${LAMP}/state/get`, { event_id: 's' })
  assert.deepEqual([event_id, device], ['s', { name: 'lamp', state: 'unHealthy' }])
})

test('C49 state/update/result names the device without its namespace and has an event id of its own', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  const { event_id, timestamp, ...rest } = await client.ask(`${LAMP}/state/update`, {
    event_id: 's-1',
    state: 'offline',
  })
  assert.notEqual(event_id, 's-1')
  assert.ok(closeToNow(timestamp))
  assert.deepEqual(rest, { device: { name: 'lamp', state: 'offline' } })
})

test('C50 lastOnlineTime is UTC in whole seconds, and there while the device is online or ok', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  const times: boolean[] = []
  for (const state of ['online', 'ok', 'offline', 'unknown', 'unhealthy']) {
    const { device } = await client.ask(`${LAMP}/state/update`, { state })
    times.push(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(device?.lastOnlineTime ?? ''))
  }
  assert.deepEqual(times, [true, true, false, false, false])
})

test('C51 membership/get lists the devices without their twins, and [] where there are none', async (t) => {
  const { listen, remove } = await startNode(t)
  const client = await listen()
  const get = `${EVENTS}node/edge-1/membership/get`
  await client.ask(`${LAMP}/state/update`, { state: 'online' })
  const { event_id, devices } = await client.ask(get, { event_id: 'm-1', timestamp: 0 })
  const [member] = devices ?? []
  const last_online = member?.last_online
  assert.match(last_online ?? '', /Z$/)
  const lampMember = { id: ID, name: 'lamp', description: 'desk lamp', state: 'online', last_online }
  assert.deepEqual([event_id, devices], ['m-1', [lampMember]])
  const gone = await listen(`${EVENTS}node/edge-1/membership/updated`)
  await remove(lamp())
  await gone.next(`${EVENTS}node/edge-1/membership/updated`)
  assert.deepEqual((await client.ask(get, '')).devices, [])
})

test('C52 membership/updated comes for each device, with the other list null', async (t) => {
  const { listen, apply, remove } = await startNode(t, { devices: [] })
  const topic = `${EVENTS}node/edge-1/membership/updated`
  const client = await listen(topic)
  await apply(lamp(), lampModel())
  await apply(lamp({ name: 'other' }))
  await remove(lamp())
  const member = (name: string) => ({ id: `default/${name}`, name, description: 'desk lamp' })
  for (const [added, removed] of [
    [[member('lamp')], null],
    [[member('other')], null],
    [null, [member('lamp')]],
  ]) {
    const { added_devices, removed_devices } = await client.next(topic)
    assert.deepEqual([added_devices, removed_devices], [added, removed])
  }
})

test('C53 attributes that change are published, and only those; labels and what the cloud says', async (t) => {
  const { listen, apply, cloud, bus } = await startNode(t)
  const client = await listen(`${LAMP}/updated`)
  const labelled = (generation: number, labels: Readonly<Record<string, string>>) => {
    const device = lamp({ generation })
    return apply({ ...device, metadata: { ...device.metadata, labels: { description: 'desk lamp', ...labels } } })
  }
  const text = (value: string) => ({ value, optional: true, metadata: { type: 'string' } })
  const said = async () => (await client.next(`${LAMP}/updated`)).attributes
  await labelled(2, { room: '12', row: 'a' })
  assert.deepEqual(await said(), { room: text('12'), row: text('a') })
  await labelled(3, { room: '13', row: 'a' })
  assert.deepEqual(await said(), { room: text('13') })
  await labelled(4, { room: '13' })
  assert.deepEqual(await said(), { row: null })
  const route = { source: 'devicecontroller', group: 'twin', operation: 'update', resource: `device/${ID}/updated` }
  cloud.say(route, { event_id: 'a-1', timestamp: 1, attributes: { serial: { value: 'A1' }, other: text('x') } })
  const answer = await client.next(`${LAMP}/updated`)
  assert.deepEqual([answer.event_id, answer.attributes], ['a-1', { serial: text('A1'), other: text('x') }])
  cloud.say(route, { attributes: { serial: { value: 'A1' }, other: null, gone: null } })
  assert.deepEqual(await said(), { other: null })
  cloud.say(route, { attributes: { room: { value: '99' } } })
  await labelled(5, { room: '14' })
  assert.deepEqual(await said(), { room: text('14') })
  const { devices } = await client.ask(`${EVENTS}node/edge-1/membership/get`, {})
  assert.deepEqual(devices?.[0]?.attributes, { serial: text('A1'), room: text('14') })
  assert.equal(bus.get(twins, ID)?.attributes?.['serial']?.origin, 'cloud')
})

test('C54 keys match in any case, unknown keys are passed over', async (t) => {
  const { listen } = await startNode(t)
  const client = await listen()
  const answer = await client.ask(UPDATE, {
    ...{ EVENT_ID: 'x', TimeStamp: 1, more: { deep: [1] } },
    Twin: { Note: { Actual: { Value: '7', MetaData: { TimeStamp: 5 } }, METADATA: { Type: 'int' }, colour: 'red' } },
  })
  assert.deepEqual(
    [answer.event_id, answer.twin['Note']?.actual?.value, answer.twin['Note']?.metadata],
    ['x', '7', { type: 'int' }],
  )
  assert.equal((await client.ask(`${LAMP}/state/update`, { State: 'online' })).device?.state, 'online')
})

test('C55 twin/cloud_updated of the cloud is taken where its versions allow it, else the twin goes up again', async (t) => {
  const { listen, cloud, bus } = await startNode(t)
  const client = await listen(`${UPDATE}/delta`, `${UPDATE}/document`)
  await client.say(UPDATE, { twin: { brightness: expected('10'), extra: actual('1') } })
  await client.next(`${UPDATE}/delta`)
  const versionOf = (name: string) => bus.get(twins, ID)?.properties[name]?.desired?.version
  const local = versionOf('brightness')
  assert.ok(local)
  const say = (resource: string, twin: object) => {
    const route = { source: 'devicecontroller', group: 'twin', operation: 'update', resource }
    cloud.say(route, JSON.parse(JSON.stringify({ event_id: 'c-1', timestamp: 1, twin })))
  }
  // Newer in both counters.
  const newer = { cloud: local.cloud + 4711, edge: local.edge }
  say(`device/${ID}/twin/cloud_updated`, { brightness: { ...expected('20'), expected_version: newer } })
  assert.deepEqual((await client.next(`${UPDATE}/delta`)).delta, { brightness: '20' })
  assert.deepEqual(versionOf('brightness'), newer)
  assert.equal(bus.get(deviceOrders, ID)?.properties['brightness']?.value, '20')
  // Without a namespace, as clouds wrote it before 1.15; a property that the edge does not know.
  const made = { ...expected('on'), optional: false, metadata: { type: 'string' }, expected_version: newer }
  say('device/lamp/twin/cloud_updated', { mode: made })
  assert.deepEqual((await client.next(`${UPDATE}/delta`)).delta, { brightness: '20', mode: 'on' })
  // What was deleted there goes here, also where clients may not delete it.
  say('device/lamp/twin/cloud_updated', {
    mode: { metadata: { type: 'deleted' } },
    extra: { metadata: { type: 'deleted' } },
  })
  await client.drain()
  await client.say(UPDATE, { twin: { brightness: expected('30') } })
  const edgeWins = versionOf('brightness')
  assert.deepEqual(Object.keys(bus.get(twins, ID)?.properties ?? {}).sort(), ['brightness', 'power'])
  // Older in one counter: the wish of the edge stays, and the cloud hears of it again.
  const uploaded = () => cloud.reports().filter(({ route }) => route.resource === `device/${ID}/twin/edge_updated`)
  await until(() => JSON.stringify(uploaded().at(-1)?.content).includes('"30"'))
  const before = uploaded().length
  for (const expected_version of [
    { cloud: newer.cloud + 1, edge: newer.edge },
    { cloud: 0, edge: 99 },
  ]) {
    say(`device/${ID}/twin/cloud_updated`, { brightness: { ...expected('40'), expected_version } })
  }
  await until(() => uploaded().length > before)
  assert.deepEqual(versionOf('brightness'), edgeWins)
  assert.equal(bus.get(twins, ID)?.properties['brightness']?.desired?.value, '30')
  // On MQTT nobody speaks for the cloud.
  const forged = { brightness: { ...expected('50'), expected_version: { cloud: 1e6, edge: 1e6 } } }
  await client.say(`${LAMP}/twin/cloud_updated`, { twin: forged })
  assert.equal(bus.get(twins, ID)?.properties['brightness']?.desired?.value, '30')
})

test('C56 the edge counts each change of a side, apart from the other side', async (t) => {
  const { listen, bus } = await startNode(t)
  const client = await listen()
  const counters: unknown[] = []
  for (const change of [actual('1'), actual('2'), actual('2'), expected('5'), { ...expected('6'), ...actual('3') }]) {
    await client.ask(UPDATE, { twin: { note: change } })
    const { desired, reported } = bus.get(twins, ID)?.properties['note'] ?? {}
    counters.push([desired?.version.edge, reported?.version.edge])
  }
  assert.deepEqual(counters, [
    [undefined, 1],
    [undefined, 2],
    [undefined, 2],
    [1, 2],
    [2, 3],
  ])
})

test('C57 messages for the cloud go up in order, and stay on disk until they can', async (t) => {
  const { listen, cloud, dialer } = await startNode(t, { isOnline: false })
  const client = await listen()
  const topics = [
    'SYS/dis/upload_records',
    '$hw/events/upload/line/1',
    'room/user/door/1',
    '$hw/events/upload/x/result',
  ]
  for (const [count, topic] of topics.entries()) await client.say(topic, `{"n":${count}}`)
  dialer.isReachable = true
  const uploads = () => cloud.received.filter(({ route }) => route.operation === 'upload')
  await until(() => uploads().length === 4)
  await client.say('room/user/door/1', Buffer.from([255, 0]))
  await until(() => uploads().length === 5)
  assert.deepEqual(
    uploads().map(({ route, content }) => [route.source, route.group, route.resource, content]),
    [
      ...topics.map((topic, count) => ['bus', 'user', topic, `{"n":${count}}`]),
      ['bus', 'user', 'room/user/door/1', { skerry: { base64: '/wA=' } }],
    ],
  )
})

test('C60 every namespace works, also one that is part of the topics; so does a bare name', async (t) => {
  const namespaces = ['dev', 'device', 'e', 'hw', 'ice', 'event', 'events', 'twin', 'update', 'default']
  const { listen } = await startNode(t, {
    nodeName: 'node',
    devices: namespaces.map((namespace) => {
      const device = lamp({ namespace })
      return [{ ...device, spec: { ...device.spec, nodeName: 'node' } }, lampModel()] as const
    }),
  })
  const client = await listen()
  for (const namespace of namespaces) {
    const at = `$hw/events/device/${namespace}/lamp`
    const { twin, code } = await client.ask(`${at}/twin/update`, { twin: { brightness: actual('5') } })
    assert.deepEqual([code, twin['brightness']?.actual?.value], [undefined, '5'], namespace)
    assert.equal((await client.ask(`${at}/state/update`, { state: 'ok' })).device?.state, 'ok')
  }
  const { devices } = await client.ask(`${EVENTS}node/node/membership/get`, {})
  assert.equal(devices?.length, namespaces.length)
  const bare = await client.ask('$hw/events/device/lamp/twin/get', { event_id: 'bare' })
  assert.deepEqual([bare.event_id, bare.twin['brightness']?.actual?.value], ['bare', '5'])
})

test('a desired value that is changed in the cloud reaches MQTT clients as document and delta', async (t) => {
  const { listen, apply } = await startNode(t)
  const client = await listen(`${UPDATE}/+`)
  await apply(lamp({ generation: 2, brightness: '40' }))
  assert.equal((await client.next(`${UPDATE}/document`)).twin['brightness']?.current?.expected?.value, '40')
  assert.deepEqual((await client.next(`${UPDATE}/delta`)).delta, { brightness: '40' })
})

/** Null stays null: it says that there is none. */
function valueIn(property: MsgTwin | null | undefined): string | null | undefined {
  return property === null ? null : property?.actual?.value
}

async function until(isSo: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!isSo()) {
    if (performance.now() > end) throw new Error('it did not happen within 10 s')
    await new Promise((resolve) => setImmediate(resolve))
  }
}
