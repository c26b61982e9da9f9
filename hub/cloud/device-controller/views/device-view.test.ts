import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pumpDevice } from '../../testing/harness.ts'
import { parseReport } from '../reports/reports.ts'
import { DeviceView } from './device-view.ts'

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
