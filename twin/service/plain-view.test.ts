import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../platform/time/index.ts'
import { assignedDevices, type DeviceModel, reportDevices, twins } from '../../schemas/index.ts'
import { LAMP, lamp, lampModel, ScriptedEventBus, settle, startTwins } from '../testing/index.ts'
import { PlainView } from './plain-view.ts'

const VIEW = 'twins/default/lamp'

test('who subscribes gets the twin as it is, whole and by property', async (t) => {
  const { mqtt } = await startTwins(t)
  await report(mqtt, { brightness: '30' })
  const [whole, ...values] = await mqtt.retained('twins/#')
  assert.deepEqual(values, [`${VIEW}/brightness 30`])
  assert.ok(whole?.startsWith(`${VIEW} {`))
  const twin = JSON.parse(whole?.slice(VIEW.length + 1) ?? '')
  assert.equal(twin.device, 'default/lamp')
  assert.deepEqual([twin.properties.brightness.value, twin.properties.power], [30, { type: 'float' }])
  assert.deepEqual(await mqtt.retained(`${VIEW}/brightness`), [`${VIEW}/brightness 30`])
  for (const nothing of [`${VIEW}/power`, `${VIEW}/none`, 'twins/plant/+/#', 'twins/default/lam/#', '$hw/#', 'twins']) {
    assert.deepEqual(await mqtt.retained(nothing), [], nothing)
  }
})

test('subscribers hear what changed, and each value once', async (t) => {
  const { mqtt, bus } = await startTwins(t)
  await report(mqtt, { brightness: '30' })
  mqtt.shown.length = 0
  await report(mqtt, { brightness: '31', power: '1.5' })
  assert.deepEqual(topics(mqtt), [`${VIEW}/brightness 31`, `${VIEW}/power 1.5`, VIEW])
  mqtt.shown.length = 0
  await report(mqtt, { brightness: '31' })
  assert.deepEqual(mqtt.shown, [])
  const reading = { property: 'brightness', sourceTime: 5, quality: 'bad', cause: 'no answer' } as const
  const asked = { id: 'default/lamp', readings: [reading], writes: [] }
  await bus.request(reportDevices, [asked], { deadline: seconds(1) })
  assert.deepEqual(topics(mqtt), [VIEW])
  const said = JSON.parse(mqtt.shown[0]?.[1] ?? '')
  assert.deepEqual([said.properties.brightness.quality, said.properties.brightness.cause], ['bad', 'no answer'])
})

test('a payload is the value of the moment in which it is read', async (t) => {
  const { mqtt } = await startTwins(t)
  await report(mqtt, { brightness: '1' })
  const read: string[] = []
  for await (const message of mqtt.retainedMessages(`${VIEW}/brightness`)) {
    await report(mqtt, { brightness: '2' })
    read.push(String(message.payload))
  }
  assert.deepEqual(read, ['2'])
})

test('nothing is made while nobody is subscribed', async (t) => {
  const { mqtt } = await startTwins(t)
  mqtt.hasViewers = false
  mqtt.shown.length = 0
  await report(mqtt, { brightness: '30' })
  assert.deepEqual(mqtt.shown, [])
})

test('it goes with the device and its properties, and a device made again starts anew', async (t) => {
  const { mqtt, assign, bus } = await startTwins(t)
  await report(mqtt, { brightness: '30', note: 'mine' })
  mqtt.shown.length = 0
  await mqtt.send(`${LAMP}/twin/update`, { twin: { note: null } })
  assert.deepEqual(topics(mqtt), [`${VIEW}/note `, VIEW])
  mqtt.shown.length = 0
  assign(lamp({ uid: 'u-2' }), lampModel())
  await settle()
  assert.deepEqual(topics(mqtt), [`${VIEW}/brightness `, VIEW])
  await report(mqtt, { brightness: '31' })
  mqtt.shown.length = 0
  bus.remove(assignedDevices, 'default/lamp')
  await settle()
  assert.deepEqual(mqtt.shown, [
    [`${VIEW}/brightness`, ''],
    [VIEW, ''],
  ])
  assert.deepEqual(await mqtt.retained('#'), [])
})

test('a conflict is shown while it stands', async (t) => {
  const { mqtt, assign } = await startTwins(t)
  await set(mqtt, 'brightness', '40')
  mqtt.shown.length = 0
  assign(lamp({ generation: 2, brightness: '50' }), lampModel())
  await settle()
  const [[topic, text] = ['', '']] = mqtt.shown
  assert.equal(topic, `${VIEW}/brightness/conflict`)
  const { winner, cloud, edge } = JSON.parse(text)
  assert.deepEqual([winner, cloud.value, cloud.generation, edge.value], ['cloud', 50, 2, 40])
  assert.equal(edge.author, 'mqtt:test')
  assert.deepEqual(await mqtt.retained('twins/+/+/+/conflict'), [`${topic} ${text}`])
  mqtt.shown.length = 0
  await set(mqtt, 'brightness', '60')
  assert.deepEqual(mqtt.shown[0], [topic, ''])
  assert.deepEqual(await mqtt.retained('twins/+/+/+/conflict'), [])
})

test('who subscribes before the twins are loaded gets them then', async (t) => {
  const { mqtt, bus } = await startTwins(t)
  await report(mqtt, { brightness: '30' })
  const twin = bus.get(twins, 'default/lamp')
  assert.ok(twin)
  const early = new ScriptedEventBus()
  const view = new PlainView(early)
  const reading = early.retained(`${VIEW}/brightness`)
  await settle()
  view.open({ get: () => twin, all: () => [twin] })
  assert.deepEqual(await reading, [`${VIEW}/brightness 30`])
})

test('a value is set under the rules of twin/update, and KubeEdge clients hear of it', async (t) => {
  const { mqtt, clock } = await startTwins(t)
  const time = new Date(clock.now()).toISOString()
  mqtt.take()
  const { event, ...result } = await set(mqtt, 'brightness', '40')
  assert.deepEqual(result, { ok: true, value: 40, time })
  const topicsSaid = mqtt.said.map((said) => said.topic)
  assert.deepEqual(topicsSaid, [
    `${VIEW}/brightness/set/result`,
    `${LAMP}/twin/update/document`,
    `${LAMP}/twin/update/delta`,
  ])
  assert.equal(mqtt.said[1]?.message.event_id, event)
  assert.equal(mqtt.said[2]?.message.delta?.['brightness'], '40')
  const [whole] = await mqtt.retained(VIEW)
  const { desired, origin } = JSON.parse(whole?.slice(VIEW.length) ?? '').properties.brightness
  assert.deepEqual([desired, origin], [40, 'edge'])
})

test('what cannot be set is answered with the reason', async (t) => {
  const { mqtt, disk } = await startTwins(t)
  const cases = [
    ['brightness', 'bright', 400, 'brightness: expected value must be an integer (type INT)'],
    ['brightness', '101', 400, 'brightness: expected value must be less than or equal to 100'],
    ['brightness', '', 400, 'brightness: expected value must be an integer (type INT)'],
    ['power', '1', 400, 'power: expected value is not allowed: the property is ReadOnly in its DeviceModel'],
    ['none', '1', 404, 'device default/lamp has no property none'],
  ] as const
  for (const [property, value, code, reason] of cases) {
    const result = await set(mqtt, property, value)
    assert.deepEqual([result['ok'], result['code'], result['value']], [false, code, value])
    assert.equal(result['reason'], reason)
  }
  const invalid = await set(mqtt, 'brightness', Buffer.from([0xff]))
  assert.deepEqual([invalid['code'], invalid['value']], [400, undefined])
  const absent = await setOn(mqtt, 'twins/default/none/brightness/set', '1')
  assert.equal(absent['code'], 404)
  disk.fill()
  assert.equal((await set(mqtt, 'brightness', '50'))['code'], 500)
})

test('what a broker had retained is no wish of now', async (t) => {
  const { mqtt } = await startTwins(t)
  mqtt.take()
  await mqtt.send(`${VIEW}/brightness/set`, '40', { retain: true })
  assert.deepEqual(mqtt.said, [])
  const [whole] = await mqtt.retained(VIEW)
  assert.doesNotMatch(whole ?? '', /desired/)
})

test('bytes are set and shown as they are, and any name has its topic', async (t) => {
  const model: DeviceModel = {
    ...lampModel(),
    spec: { properties: [{ name: 'a/b %', type: 'BYTES', accessMode: 'ReadWrite', unit: 'raw' }] },
  }
  const device = lamp()
  const { mqtt } = await startTwins(t, {
    devices: [[{ ...device, spec: { ...device.spec, properties: [{ name: 'a/b %' }] } }, model]],
  })
  const topic = `${VIEW}/a%2Fb %25`
  const result = await setOn(mqtt, `${topic}/set`, Buffer.from([0, 255]))
  assert.deepEqual([result['ok'], result['value']], [true, 'AP8='])
  await report(mqtt, { 'a/b %': 'AP8=' })
  assert.deepEqual(await bytes(mqtt, topic), [[0, 255]])
  const [whole] = await mqtt.retained(VIEW)
  assert.equal(JSON.parse(whole?.slice(VIEW.length) ?? '').properties['a/b %'].unit, 'raw')
})

async function report(mqtt: ScriptedEventBus, values: Readonly<Record<string, string>>): Promise<void> {
  const twin = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { actual: { value } }]))
  const answer = await mqtt.ask(`${LAMP}/twin/update`, { twin })
  assert.equal(answer.code, undefined, answer.reason)
}

function set(mqtt: ScriptedEventBus, property: string, payload: string | Buffer) {
  return setOn(mqtt, `${VIEW}/${property}/set`, payload)
}

async function setOn(mqtt: ScriptedEventBus, topic: string, payload: string | Buffer) {
  const answer = await mqtt.ask(topic, payload)
  return Object.fromEntries(Object.entries(answer))
}

/** Values with their text, the whole twin by its topic alone. */
function topics(mqtt: ScriptedEventBus): readonly string[] {
  return mqtt.shown.map(([topic, payload]) => (topic === VIEW ? topic : `${topic} ${payload}`))
}

async function bytes(mqtt: ScriptedEventBus, filter: string): Promise<readonly (readonly number[])[]> {
  const found = []
  for await (const { payload } of mqtt.retainedMessages(filter)) found.push([...Buffer.from(payload)])
  return found
}
