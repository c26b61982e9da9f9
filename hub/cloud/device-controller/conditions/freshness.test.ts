import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../../platform/time/index.ts'
import { type Device, TIME_TO_LIVE_ANNOTATION } from '../../../../schemas/index.ts'
import { DEVICE_STATUSES, DEVICES, EVENTS } from '../../kubernetes/resources.ts'
import { pumpDevice, pumpModel, startCloud } from '../../testing/harness.ts'
import { condition, PUMP, reportTwin, withPump } from '../../testing/pump.ts'
import type { PropertyView } from '../views/twin-view.ts'
import { freshness } from './freshness.ts'

const SINCE = Date.parse('2026-08-06T12:00:03Z')

function aging(text?: string, node?: string): Device {
  const device = pumpDevice('pump-1', undefined, node)
  const annotations = text === undefined ? {} : { annotations: { [TIME_TO_LIVE_ANNOTATION]: text } }
  return { ...device, metadata: { ...device.metadata, ...annotations } }
}

const reported = (metadata: Readonly<Record<string, string>>): PropertyView => ({ reported: { value: '7', metadata } })
const watched = reported({ timeToLive: '10000' })
const stale = reported({ timeToLive: '10000', stale: 'true', staleSince: String(SINCE) })

function verdict(device: Device, view: Readonly<Record<string, PropertyView>> = {}, away = false) {
  const { status, reason, message } = freshness({
    ...{ device, model: pumpModel(), away, view: new Map(Object.entries(view)) },
  })
  return `${status} ${reason}: ${message}`
}

test('Fresh names each stale property and since when', () => {
  const all = aging('*=10s')
  assert.equal(
    verdict(all, { speed: watched, targetSpeed: watched }),
    'True Fresh: every value was read within its time to live',
  )
  assert.equal(verdict(all, { speed: stale, targetSpeed: watched }), 'False Stale: speed since 2026-08-06T12:00:03Z')
  assert.match(verdict(all, { speed: stale, targetSpeed: stale }), /targetSpeed since .*, speed since /)
  // What is known to be stale says more than what was never read.
  assert.match(verdict(all, { speed: stale }), /^False Stale: speed/)
})

test('Fresh claims nothing that nobody knows', () => {
  const all = aging('*=10s')
  assert.equal(verdict(all, { speed: stale }, true), 'Unknown NodeUnreachable: node edge-1 is not connected')
  assert.equal(verdict(all, { speed: watched }), 'Unknown NotReported: never read: targetSpeed')
  assert.match(
    verdict(all, { targetSpeed: watched, speed: { unread: 'no such register' } }),
    /speed \(no such register\)$/,
  )
  assert.match(verdict(aging('speed=10s'), { speed: reported({}) }), /^Unknown NotWatched: .*speed/)
  assert.match(verdict(aging('*=10s', ''), {}), /^Unknown NodeNotSet/)
  assert.equal(verdict(aging(), { speed: reported({}) }, true), 'True NoTimeToLive: no property has a time to live')
})

test('a stale value shows on the Device, in Fresh and in Events, and goes when it is read again', async () => {
  const cloud = await withPump()
  await cloud.kubernetes.patch(
    ...([
      DEVICES,
      PUMP,
      { metadata: { annotations: { [TIME_TO_LIVE_ANNOTATION]: 'speed=10s' } } },
      { type: 'merge' },
    ] as const),
  )
  const edge = cloud.connect('edge-1')
  await cloud.settle(300)
  const device = await cloud.device()
  assert.ok(device)
  assert.equal(condition(device, 'Fresh')?.reason, 'NotReported')
  const said = { speed: { actual: { value: '7', metadata: { timestamp: SINCE - 10_000 } }, metadata: { type: 'int' } } }
  const report = async (revision: number, speed: object) => {
    reportTwin(edge, device, said, {
      revision,
      properties: { speed: { quality: 'good', timeToLive: 10_000, ...speed } },
    })
    await cloud.settle(600)
    return cloud.device()
  }
  assert.equal(condition(await report(1, {}), 'Fresh')?.status, 'True')
  const old = await report(2, { stale: true, staleSince: SINCE })
  assert.deepEqual(condition(old, 'Fresh')?.message, 'speed since 2026-08-06T12:00:03Z')
  assert.deepEqual(old?.status?.twins?.[0]?.reported?.metadata, {
    ...{ timestamp: String(SINCE - 10_000), type: 'int', timeToLive: '10000' },
    ...{ stale: 'true', staleSince: String(SINCE) },
  })
  const plain = await cloud.kubernetes.get(DEVICE_STATUSES, PUMP)
  assert.deepEqual(plain?.status?.twins?.[0]?.reported?.metadata, { timestamp: String(SINCE - 10_000), type: 'int' })

  // A cloud that starts now knows it as well, and tells nobody twice.
  await cloud.stop()
  const again = await startCloud(cloud.kubernetes, cloud.clock)
  const edgeAgain = again.connect('edge-1')
  await again.settle(300)
  assert.equal(condition(await again.device(), 'Fresh')?.reason, 'Stale')
  reportTwin(edgeAgain, device, said, { revision: 3, properties: { speed: { quality: 'good', timeToLive: 10_000 } } })
  await again.settle(600)
  assert.equal(condition(await again.device(), 'Fresh')?.status, 'True')
  const events = (await again.kubernetes.list(EVENTS, {})).items
    .map((event) => `${Reflect.get(event, 'type')} ${Reflect.get(event, 'reason')}`)
    .filter((text) => /Stale|Fresh/.test(text))
  assert.deepEqual(events, ['Warning Stale', 'Normal Fresh'])

  edgeAgain.disconnect()
  await again.clock.advance(seconds(30))
  assert.deepEqual(condition(await again.device(), 'Fresh')?.reason, 'NodeUnreachable')
  await again.stop()
})
