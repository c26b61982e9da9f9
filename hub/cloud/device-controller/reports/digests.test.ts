import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceRefusals, type Frame } from '../../../../schemas/index.ts'
import { DEVICE_STATUSES, DEVICES } from '../../kubernetes/resources.ts'
import { BothHalves } from '../../testing/both-halves.ts'
import { pumpDevice, pumpModel, startCloud } from '../../testing/harness.ts'
import { condition, reportTwin, withPump } from '../../testing/pump.ts'
import { EDGE_ANNOTATION } from '../views/edge-record.ts'

const names = (count: number) => Array.from({ length: count }, (_, at) => `pump-${at}`)

/** An edge with so many devices, all of them told and confirmed. */
async function atRest(count: number): Promise<BothHalves> {
  const both = new BothHalves()
  await both.startCloud()
  await both.startEdge()
  await both.cloud.apply(pumpModel())
  for (const name of names(count)) await both.kubernetes.create(DEVICES, 'default', pumpDevice(name))
  await both.pass(10_000)
  for (const name of names(count)) await both.tell(name, 3)
  await both.pass(20_000)
  return both
}

test('a restart of the cloud alone makes nothing be sent again, however many devices there are', async () => {
  const both = await atRest(510)
  assert.equal((await both.device('pump-509'))?.status?.twins?.[0]?.reported?.value, '3')
  both.up.length = 0
  await both.stopCloud()
  await both.pass(5000)
  await both.startCloud()
  await both.pass(60_000)
  assert.deepEqual(
    both.up.map(({ route }) => route.resource),
    ['device/digest', 'device/digest'],
  )
  const sizes = both.up.map(({ content }) => Reflect.get(Reflect.get(Object(content), 'skerry'), 'devices').length)
  assert.deepEqual(sizes, [500, 10])
  await both.stop()
})

test('a cut link alone makes nothing be sent again', async () => {
  const both = await atRest(3)
  both.up.length = 0
  both.edge.dialer.pair?.cut('test')
  await both.pass(30_000)
  assert.deepEqual(both.reports(), [])
  await both.stop()
})

test('an API that went back to a backup gets what it lacks, and no more', async () => {
  const both = await atRest(4)
  const restore = both.kubernetes.backup()
  await both.tell('pump-1', 5)
  await both.tell('pump-2', 6, { state: 'offline' })
  const refusal = { generation: 1, pointer: '/spec/protocol', message: 'no such port' }
  both.edge.bus.set(deviceRefusals, 'default/pump-3', [refusal])
  await both.pass(5000)
  assert.equal(condition(await both.device('pump-3'), 'Accepted')?.reason, 'RefusedByEdge')
  await both.stopCloud()
  restore()
  both.up.length = 0
  await both.startCloud()
  await both.pass(60_000)
  const again = ['device/default/pump-1', 'device/default/pump-2', 'device/default/pump-3'].flatMap((device) => [
    `${device}/state/update`,
    `${device}/twin/edge_updated`,
  ])
  assert.deepEqual([...new Set(both.reports())].sort(), again)
  assert.equal((await both.device('pump-1'))?.status?.twins?.[0]?.reported?.value, '5')
  assert.equal((await both.device('pump-2'))?.status?.state, 'offline')
  assert.equal(condition(await both.device('pump-3'), 'Accepted')?.reason, 'RefusedByEdge')
  const status = await both.kubernetes.get(DEVICE_STATUSES, { namespace: 'default', name: 'pump-2' })
  assert.equal(status?.status?.state, 'offline')
  await both.stop()
})

test('an API that goes back to a backup below a running cloud is written again, without the edge', async () => {
  const both = await atRest(2)
  const restore = both.kubernetes.backup()
  await both.tell('pump-1', 9)
  await both.pass(5000)
  both.up.length = 0
  both.kubernetes.fail('WATCH', 410, 20)
  restore()
  await both.pass(120_000)
  assert.equal((await both.device('pump-1'))?.status?.twins?.[0]?.reported?.value, '9')
  assert.deepEqual(both.reports(), [])
  await both.stop()
})

test('an API that forgot a device entirely has it taken away from the edge', async () => {
  const both = await atRest(1)
  const restore = both.kubernetes.backup()
  await both.cloud.apply(pumpDevice('late'))
  await both.pass(1000)
  await both.tell('late', 1)
  await both.pass(5000)
  await both.stopCloud()
  restore()
  await both.startCloud()
  await both.pass(60_000)
  assert.equal(both.edge.meta.stored('default/device/late'), undefined)
  assert.ok(both.edge.meta.stored('default/device/pump-0'))
  await both.stop()
})

test('a cloud that dies between its writes holds no record of what it has not written', async () => {
  for (const part of ['PATCH devices ', 'PATCH devicestatuses']) {
    const both = await atRest(1)
    both.kubernetes.fail(part, 503, 1000)
    await both.tell('pump-0', 8, { state: 'unhealthy', stateReason: 'CRC' })
    await both.pass(3000)
    await both.stopCloud()
    both.kubernetes.heal()
    await both.startCloud()
    await both.pass(30_000)
    const device = await both.device('pump-0')
    const at = { namespace: 'default', name: 'pump-0' }
    const status = await both.kubernetes.get(DEVICE_STATUSES, at)
    assert.deepEqual([device?.status?.state, status?.status?.state], ['unhealthy', 'unhealthy'])
    assert.equal(condition(device, 'Online')?.message, 'CRC')
    assert.deepEqual(
      [device?.status?.twins?.[0]?.reported?.value, status?.status?.twins?.[0]?.reported?.value],
      ['8', '8'],
    )
    assert.match(status?.metadata.annotations?.[EDGE_ANNOTATION] ?? '', / 8 8 -$/)
    await both.stop()
  }
})

const ask = { source: 'twin', group: 'resource', operation: 'query', resource: 'device/digest' }
const answersTo = (received: readonly Frame[], question: Frame) =>
  received.filter(({ header }) => header.parent_msg_id === question.header.msg_id)

test('what is asked before the API is listed is answered afterwards, once, by what it holds', async () => {
  const first = await withPump()
  const edge = first.connect('edge-1')
  await first.settle()
  const device = await first.device()
  assert.ok(device)
  reportTwin(edge, device, { speed: { actual: { value: '7' } } }, { revision: 4 })
  await first.settle(2000)
  await first.stop()
  first.kubernetes.fail('LIST devicestatuses', 503, 5)
  const cloud = await startCloud(first.kubernetes, first.clock)
  const again = cloud.connect('edge-1')
  const { uid = '' } = device.metadata
  const digest = (twin: number) => ({
    skerry: { devices: [{ id: 'default/pump-1', uid, twin, state: 0, refusals: '' }] },
  })
  const replaced = again.say(ask, digest(9))
  const question = again.say(ask, digest(4))
  await cloud.settle(2)
  assert.equal(answersTo(again.received, question).length, 0)
  await cloud.settle(20_000)
  assert.deepEqual(
    answersTo(again.received, question).map(({ content }) => content),
    [{ skerry: { missing: [] } }],
  )
  assert.equal(answersTo(again.received, replaced).length, 0, 'an edge asks one after the other')
  const behind = again.say(ask, JSON.stringify(digest(5)))
  const other = cloud.connect('edge-1', { epoch: 'db-2' })
  const fresh = other.say(ask, digest(1))
  await cloud.settle(2)
  assert.deepEqual(answersTo(again.received, behind)[0]?.content, { skerry: { missing: ['default/pump-1'] } })
  assert.deepEqual(answersTo(other.received, fresh)[0]?.content, { skerry: { missing: ['default/pump-1'] } })
  await cloud.stop()
})

test('a question that is none is refused, and one about devices of others gets nothing told', async () => {
  const cloud = await withPump()
  const edge = cloud.connect('edge-2')
  await cloud.settle()
  const bad = [null, 'x', {}, { skerry: { devices: 7 } }, { skerry: { devices: Array(501).fill({}) } }]
  for (const content of bad) {
    const question = edge.say(ask, content)
    await cloud.settle()
    assert.equal(answersTo(edge.received, question)[0]?.route.operation, 'error')
  }
  const uid = (await cloud.device())?.metadata.uid ?? ''
  const devices = [null, {}, { id: 'default/pump-1', uid, twin: 1, state: 1, refusals: '' }]
  const question = edge.say(ask, { skerry: { devices } })
  await cloud.settle(10)
  assert.deepEqual(answersTo(edge.received, question)[0]?.content, { skerry: { missing: [] } })
  assert.ok(
    edge.received.some(({ route }) => route.operation === 'delete'),
    'what it should not have',
  )
  await cloud.stop()
})
