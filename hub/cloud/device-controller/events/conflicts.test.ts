import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Conflict, Frame, KubeObject } from '../../../../schemas/index.ts'
import { DEVICES, EVENTS } from '../../kubernetes/resources.ts'
import { type CloudHarness, pumpDevice, type ScriptedEdge, startCloud } from '../../testing/harness.ts'
import { condition, PUMP, reportTwin, withPump } from '../../testing/pump.ts'

const CONFLICT: Conflict = {
  ...{ id: 'uid/targetSpeed/2/1.77', winner: 'edge', policy: 'EdgeWins' },
  cloud: { value: '1200', timestamp: 70, author: 'cloud', generation: 2 },
  edge: { value: '900', timestamp: 77, author: 'mqtt:panel' },
}
const WISH = {
  targetSpeed: {
    expected: { value: '900', metadata: { timestamp: 77 } },
    expected_version: { cloud: 1, edge: 1 },
  },
}

async function report(cloud: CloudHarness, edge: ScriptedEdge, revision: number, extra: object): Promise<Frame> {
  const device = await cloud.device()
  assert.ok(device)
  const property = { origin: 'edge', author: 'mqtt:panel', ...extra }
  return reportTwin(edge, device, WISH, { revision, properties: { targetSpeed: property } })
}

const conflictEvents = async (cloud: CloudHarness): Promise<readonly KubeObject[]> =>
  (await cloud.kubernetes.list(EVENTS, {})).items.filter((event) => Reflect.get(event, 'reason') === 'DesiredConflict')

const intentsIn = (frame: Frame | undefined) => Object(frame?.content).skerry?.intents
const lastDevice = (edge: ScriptedEdge) => edge.received.findLast(({ route }) => route.resource?.includes('/device/'))

test('a device goes with its intents to Skerry edges, and without them to original ones', async () => {
  const cloud = await withPump('1200')
  const skerry = cloud.connect('edge-1')
  await cloud.settle(300)
  const intents = { targetSpeed: { value: '1200', generation: 1, timestamp: 1_786_017_600_002, author: 'cloud' } }
  const [{ propertyName, ...kept } = { propertyName: '' }] = (await cloud.device())?.status?.intents ?? []
  assert.deepEqual([propertyName, kept], ['targetSpeed', intentsIn(lastDevice(skerry)).targetSpeed])
  assert.deepEqual(Object.keys(intentsIn(lastDevice(skerry))), Object.keys(intents))
  const original = cloud.connect('edge-1', { skerry: false })
  await cloud.settle(300)
  assert.equal('skerry' in Object(lastDevice(original)?.content), false)
  await cloud.stop()
})

test('an intent knows the wish that the Device showed, and no restart changes what is known of it', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  await report(cloud, edge, 1, {})
  await cloud.settle(300)
  await cloud.apply(pumpDevice('pump-1', '1500'))
  const sent = intentsIn(lastDevice(edge)).targetSpeed
  assert.deepEqual([sent.generation, sent.seen], [2, { edge: 1, timestamp: 77 }])
  await cloud.settle(300)
  await cloud.stop()
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  await again.settle(60_000)
  const same = again.connect('edge-1', { epoch: 'db-2' })
  await again.settle(300)
  assert.deepEqual(intentsIn(lastDevice(same)).targetSpeed, sent)
  await again.stop()
})

test('a wish that had not reached the Device was not known, even if the cloud had heard of it', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  cloud.kubernetes.fail('PATCH devices ', 503)
  await report(cloud, edge, 1, {})
  await cloud.settle(2)
  assert.equal((await cloud.device())?.status?.twins, undefined)
  await cloud.apply(pumpDevice('pump-1', '1500'))
  assert.equal(intentsIn(lastDevice(edge)).targetSpeed.seen, undefined)
  await cloud.stop()
})

test('a status is not written over a spec that its writer has not seen', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  // Just before the status goes, somebody edits the spec; no watch has told of it yet.
  const patch = cloud.kubernetes.patch.bind(cloud.kubernetes)
  let edits = 0
  cloud.kubernetes.patch = async (type, at, body, options, ...rest) => {
    if (options.subresource === 'status' && type.plural === 'devices' && edits++ === 0) {
      await patch(DEVICES, PUMP, { spec: pumpDevice('pump-1', '1500').spec }, { type: 'merge' })
    }
    return patch(type, at, body, options, ...rest)
  }
  await report(cloud, edge, 1, {})
  await cloud.settle(600)
  assert.ok(edits >= 2)
  assert.equal(intentsIn(lastDevice(edge)).targetSpeed.seen, undefined)
  const status = (await cloud.device())?.status
  assert.equal(status?.intents?.[0]?.value, '1500')
  assert.equal(status?.twins?.[0]?.observedDesired?.value, '900')
  await cloud.stop()
})

test('a conflict is a condition, a list in the status and one Event, however often it is told', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  await report(cloud, edge, 1, { conflict: CONFLICT })
  await cloud.settle(300)
  const agreed = condition(await cloud.device(), 'Agreed')
  assert.deepEqual([agreed?.status, agreed?.reason], ['False', 'EdgeWon'])
  for (const part of ['targetSpeed', '1200', '900', 'cloud', 'mqtt:panel']) assert.ok(agreed?.message.includes(part))
  const told = { propertyName: 'targetSpeed', standing: true, ...CONFLICT }
  assert.deepEqual((await cloud.device())?.status?.conflicts, [told])
  await report(cloud, edge, 2, { conflict: CONFLICT })
  await cloud.settle(300)
  await cloud.stop()
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  const same = again.connect('edge-1')
  await report(again, same, 3, { conflict: CONFLICT })
  await again.settle(300)
  await report(again, same, 4, { pastConflicts: [CONFLICT] })
  await again.settle(300)
  assert.equal(condition(await again.device(), 'Agreed')?.status, 'True')
  assert.deepEqual((await again.device())?.status?.conflicts, [{ ...told, standing: false }])
  await report(again, same, 5, {})
  await again.settle(300)
  assert.deepEqual((await again.device())?.status?.conflicts, [])
  const events = await conflictEvents(again)
  assert.equal(events.length, 1)
  assert.equal(Reflect.get(Object(events[0]), 'type'), 'Warning')
  await again.stop()
})

test('an Event that cannot be written yet holds the report back; a process that dies between both repeats neither', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  cloud.kubernetes.fail('POST events', 503, 2)
  const frame = await report(cloud, edge, 1, { conflict: CONFLICT })
  await cloud.settle(60)
  assert.equal((await cloud.device())?.status?.conflicts, undefined)
  assert.equal(edge.received.filter((sent) => sent.header.parent_msg_id === frame.header.msg_id).length, 0)
  // The Event is there, the record of it is not.
  cloud.kubernetes.fail('PATCH devices ', 503)
  await cloud.settle(400)
  assert.equal((await conflictEvents(cloud)).length, 1)
  await cloud.stop()
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  await report(again, again.connect('edge-1'), 1, { conflict: CONFLICT })
  await again.settle(1000)
  assert.equal((await again.device())?.status?.conflicts?.length, 1)
  assert.equal((await conflictEvents(again)).length, 1)
  await again.stop()
})

test('an API that takes no Events keeps nothing from being shown', async () => {
  for (const status of [403, 503]) {
    const cloud = await withPump('1200')
    const edge = cloud.connect('edge-1')
    await cloud.settle(300)
    cloud.kubernetes.fail('POST events', status, 1000)
    await report(cloud, edge, 1, { conflict: CONFLICT })
    await cloud.settle(10_000)
    assert.equal(condition(await cloud.device(), 'Agreed')?.status, 'False')
    await cloud.stop()
  }
})

test('what a hostile edge says of conflicts is left out or made fit', async () => {
  const cloud = await withPump('1200')
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  const odd = { ...CONFLICT, id: 'odd', more: { deep: 1 }, edge: { ...CONFLICT.edge, timestamp: 1.5, more: 1 } }
  const pastConflicts = [null, 7, { id: 'x' }, { ...CONFLICT, winner: 'me' }, odd, odd]
  await report(cloud, edge, 1, { conflict: { ...CONFLICT, policy: 'Mine' }, pastConflicts })
  await cloud.settle(300)
  const { conflicts } = (await cloud.device())?.status ?? {}
  const edgeWish = { ...CONFLICT.edge, timestamp: 1 }
  assert.deepEqual(conflicts, [
    { propertyName: 'targetSpeed', standing: false, ...CONFLICT, id: 'odd', edge: edgeWish },
  ])
  await cloud.stop()
})
