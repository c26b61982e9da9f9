import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEVICE_API_VERSION, type DeviceStatus } from '../../../../schemas/index.ts'
import { pumpDevice } from '../../testing/harness.ts'
import { parseReport } from '../reports/reports.ts'
import { DeviceView } from './device-view.ts'
import { EDGE_ANNOTATION } from './edge-record.ts'

const PEER = { node: 'edge-1', session: 's1', skerry: true, epoch: 'db-1' }
const resource = 'device/default/pump-1/twin/edge_updated'

function told(view: DeviceView, revision: number, names: readonly string[], skerry: object = {}): void {
  const twin = Object.fromEntries(names.map((name) => [name, { actual: { value: String(revision) } }]))
  const content = { twin, skerry: { uid: 'uid-1', generation: 1, revision, properties: {}, ...skerry } }
  const report = parseReport(resource, JSON.stringify(content))
  assert.ok(report)
  const frame = { header: { msg_id: `m${revision}`, timestamp: 1 }, route: { resource }, content }
  assert.equal(view.take(report, PEER, { frame, reply: () => undefined }), 'taken')
}

const pump = () => {
  const device = pumpDevice('pump-1', '1200')
  return { ...device, metadata: { ...device.metadata, uid: 'uid-1' } }
}

test('a node that makes up new properties with each report fills no memory, and what the device has stays', () => {
  const device = pump()
  const view = new DeviceView(device, undefined)
  const own = (device.spec.properties ?? []).map(({ name }) => name)
  told(view, 1, own)
  for (let revision = 2; revision < 50; revision++) {
    told(
      view,
      revision,
      Array.from({ length: 100 }, (_, at) => `made-up-${revision}-${at}`),
    )
    view.follow(device, undefined, true)
  }
  assert.ok(view.twins.size <= own.length + 100, `${view.twins.size} properties`)
  for (const name of own) assert.equal(view.twins.get(name)?.reported?.value, '1')
  assert.ok(view.twins.has('made-up-49-99'), 'the node may be ahead of what is known here')
})

test('reports that wait for the API are not kept whole', () => {
  const view = new DeviceView(pump(), undefined)
  told(view, 1, ['speed'])
  assert.deepEqual(
    view.unconfirmed.map(({ frame }) => [frame.header.msg_id, frame.route.resource, frame.content]),
    [['m1', resource, null]],
  )
})

test('of refusals without end some are kept, and one that counts is among them', () => {
  const view = new DeviceView(pump(), undefined)
  const warnings = Array.from({ length: 5000 }, (_, at) => ({ pointer: `/${at}`, message: 'slow', warning: true }))
  told(view, 1, [], { refusals: [...warnings, { pointer: '/spec', message: 'no such port' }] })
  assert.equal(view.refusals?.list.length, 100)
  assert.equal(view.refusals?.list[0]?.message, 'no such port')
})

test('a view that began with what was old goes on from what is shown, until it has taken a report', () => {
  const device = pump()
  const status = (resourceVersion: string, value: string | undefined, record?: string): DeviceStatus => ({
    ...{ apiVersion: DEVICE_API_VERSION, kind: 'DeviceStatus', spec: {} },
    metadata: { name: 'pump-1', resourceVersion, ...(record ? { annotations: { [EDGE_ANNOTATION]: record } } : {}) },
    status: { twins: value === undefined ? [] : [{ propertyName: 'speed', reported: { value } }] },
  })
  const view = new DeviceView(device, status('1', undefined))
  const shown = () => view.twins.get('speed')?.reported?.value
  // Another replica had the node before, and wrote more than was known here when the node came.
  view.follow(device, status('2', '7', 'db-1 7 7 -'), true)
  assert.deepEqual([shown(), view.record?.twin], ['7', 7])
  const values = [{ propertyName: 'speed', reported: { value: '8', metadata: { timestamp: '8' } } }]
  const later = { ...device, metadata: { ...device.metadata, resourceVersion: '3' }, status: { twins: values } }
  view.follow(later, status('2', '7', 'db-1 7 7 -'), true)
  assert.equal(view.record?.twin, 7)
  told(view, 9, ['speed'])
  view.follow(later, status('4', '8', 'db-1 8 7 -'), true)
  assert.deepEqual([shown(), view.record?.twin], ['9', 9])
})
