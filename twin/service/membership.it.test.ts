import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { DEVICE_MODELS, DEVICES } from '../../hub/cloud/index.ts'
import { startTlsCloud } from '../../hub/cloud/testing/tls-cloud.ts'
import { eventually, joinEdge } from '../../hub/edge/testing/joined-edge.ts'
import * as schemas from '../../schemas/index.ts'
import { createDeviceTwinModule, twinStoreDomain } from '../index.ts'
import { LAMP, lamp, lampModel } from '../testing/edge.ts'
import { startNode } from '../testing/mqtt-node.ts'

const AT = { namespace: 'default', name: 'lamp' }
const ID = 'default/lamp'

/** A cloud over a fake Kubernetes and two nodes that joined it, with their twins. */
async function startFleet(t: TestContext) {
  const cloud = await startTlsCloud(t)
  const nodes = []
  for (const nodeName of ['edge-1', 'edge-2']) {
    const joined = await joinEdge(t, cloud, { nodeName, domains: [twinStoreDomain] })
    const edge = await joined.start()
    await edge.start(createDeviceTwinModule({ ...edge, eventBus: edge.mqtt }))
    const said = () =>
      edge.mqtt.said
        .filter(({ topic }) => topic.endsWith('/membership/updated'))
        .map(({ topic, message }) => {
          const ids = (list: typeof message.added_devices) => list?.map(({ id }) => id) ?? list
          return [topic.split('/')[3], ids(message.added_devices), ids(message.removed_devices)]
        })
    nodes.push({ ...edge, said, rest: () => leftovers(edge) })
  }
  const [first, second] = nodes
  assert.ok(first && second)
  const { kubernetes } = cloud
  await kubernetes.create(DEVICE_MODELS, 'default', lampModel())
  await eventually(() => (first.hub.isConnected && second.hub.isConnected) || undefined)
  return { kubernetes, first, second }
}

/** Its uid is given by the API. */
function freshLamp(): schemas.Device {
  const { uid: _, ...metadata } = lamp().metadata
  return { ...lamp(), metadata }
}

type Edge = Pick<
  Awaited<ReturnType<Awaited<ReturnType<typeof joinEdge>>['start']>>,
  'bus' | 'store' | 'mqtt' | 'metrics'
>

/** Everything in which the name of the lamp still stands: on the bus, on disk, retained, in the metrics. */
async function leftovers({ bus, store, mqtt, metrics }: Edge): Promise<readonly string[]> {
  const found: string[] = []
  for (const channel of Object.values(schemas)) {
    if (typeof channel !== 'object' || channel === null || !('shape' in channel) || channel.shape !== 'state') continue
    if (bus.list(schemas.stateChannel(channel.name)).has(ID)) found.push(`bus ${channel.name}`)
  }
  for (const statement of ['twin.all', 'meta.all', 'meta.marks']) {
    const rows = await store.read({ statement, parameters: [] })
    if (rows.some((row) => Object.values(row).some((value) => /default\/(device\/)?lamp$/.test(String(value)))))
      found.push(statement)
  }
  if ((await mqtt.retained('#')).length > 0) found.push('retained')
  if ((await metrics.text()).includes(ID)) found.push('metrics')
  return found
}

test('a device that moves leaves its old node before it comes to the new one, and nothing of it stays there', {
  timeout: 60_000,
}, async (t) => {
  const { kubernetes, first, second } = await startFleet(t)
  await kubernetes.create(DEVICES, 'default', lamp({ brightness: '40' }))
  await eventually(() => first.bus.get(schemas.twins, ID))
  await first.mqtt.send(`${LAMP}/twin/update`, {
    twin: { brightness: { actual: { value: '7' } }, free: { actual: { value: '1' } } },
  })
  await eventually(async () => (await first.rest()).includes('meta.marks') || undefined)

  await kubernetes.patch(DEVICES, AT, { spec: { nodeName: 'edge-2' } }, { type: 'merge' })
  const moved = await eventually(() => second.bus.get(schemas.twins, ID))
  assert.equal(first.bus.get(schemas.twins, ID), undefined, 'it is gone here before it is there')
  assert.deepEqual(Object.keys(moved.properties), ['brightness', 'power'])
  assert.deepEqual(
    [moved.properties['brightness']?.desired?.value, moved.properties['brightness']?.reported],
    ['40', undefined],
  )
  await eventually(async () => (await first.rest()).length === 0 || undefined)
  assert.deepEqual(first.said(), [
    ['edge-1', [ID], null],
    ['edge-1', null, [ID]],
  ])
  assert.deepEqual(second.said(), [['edge-2', [ID], null]])
  assert.equal((await first.mqtt.ask(`${LAMP}/twin/get`, {})).code, 404)

  await kubernetes.delete(DEVICES, AT)
  await eventually(async () => (await second.rest()).length === 0 || undefined)
  assert.deepEqual(second.said().at(-1), ['edge-2', null, [ID]])
})

test('a device made again under its name is another one: membership says both, and it begins anew', {
  timeout: 60_000,
}, async (t) => {
  const { kubernetes, first } = await startFleet(t)
  await kubernetes.create(DEVICES, 'default', freshLamp())
  const old = await eventually(() => first.bus.get(schemas.twins, ID))
  await first.mqtt.send(`${LAMP}/twin/update`, { twin: { brightness: { actual: { value: '7' } } } })
  await kubernetes.delete(DEVICES, AT)
  await kubernetes.create(DEVICES, 'default', freshLamp())
  const anew = await eventually(() => {
    const twin = first.bus.get(schemas.twins, ID)
    return twin && twin.uid !== old.uid ? twin : undefined
  })
  assert.equal(anew.properties['brightness']?.reported, undefined)
  assert.deepEqual(first.said(), [
    ['edge-1', [ID], null],
    ['edge-1', null, [ID]],
    ['edge-1', [ID], null],
  ])
})

test('a new description is no new member: membership/get shows it with the next spec', {
  timeout: 60_000,
}, async (t) => {
  const { kubernetes, first } = await startFleet(t)
  await kubernetes.create(DEVICES, 'default', lamp())
  await eventually(() => first.bus.get(schemas.twins, ID))
  await kubernetes.patch(DEVICES, AT, { metadata: { labels: { description: 'hall', room: '5' } } }, { type: 'merge' })
  const properties = [{ name: 'brightness', desired: { value: '3' } }, { name: 'power' }]
  await kubernetes.patch(DEVICES, AT, { spec: { properties } }, { type: 'merge' })
  await eventually(() => first.bus.get(schemas.twins, ID)?.properties['brightness']?.desired)
  assert.equal(first.said().length, 1)
  const [member] = (await first.mqtt.ask('$hw/events/node/edge-1/membership/get', {})).devices ?? []
  assert.deepEqual([member?.description, Object.keys(member?.attributes ?? {})], ['hall', ['room']])
})

test('a deleted device is forgotten by its bare name, too', async (t) => {
  const { listen, apply, remove } = await startNode(t)
  const bare = '$hw/events/device/lamp/twin/update'
  const client = await listen(`${bare}/delta`, '$hw/events/node/edge-1/membership/updated')
  await client.say(bare, { twin: { brightness: { expected: { value: '5' } } } })
  assert.deepEqual((await client.next(`${bare}/delta`)).delta, { brightness: '5' })
  await remove(lamp())
  await apply(lamp({ uid: 'u-2' }), lampModel())
  await client.say(`${LAMP}/twin/update`, { twin: { brightness: { expected: { value: '6' } } } })
  assert.deepEqual(
    (await client.drain()).filter(({ topic }) => topic === `${bare}/delta`).map(({ message }) => message.delta),
    [{ brightness: '5' }],
  )
})

test('nodes may be called like parts of topics', async (t) => {
  for (const nodeName of ['node', 'events', 'membership', 'get', 'hw', 'a.b-1.c']) {
    const { listen } = await startNode(t, { nodeName, devices: [] })
    const client = await listen()
    const { event_id, devices } = await client.ask(`$hw/events/node/${nodeName}/membership/get`, { event_id: nodeName })
    assert.deepEqual([event_id, devices], [nodeName, []])
  }
})
