import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { crds } from '../../schemas/crd/index.ts'
import { at, done, refused } from './testing/objects.ts'
import { ask } from './testing/request.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'

/** KubeEdge's manifests, check by check: docs/reference/kubeedge-compatibility.md. */
describe('manifests of KubeEdge', () => {
  const GROUP = '/apis/devices.kubeedge.io'
  const paths = (version: string) => `${GROUP}/${version}/namespaces/default`
  const DEVICES = `${paths('v1beta1')}/devices`
  const MODELS = `${paths('v1beta1')}/devicemodels`
  const STATUSES = `${paths('v1beta1')}/devicestatuses`
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) }, { crds })
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  const object = (kind: string, name: string, spec: object, more: object = {}, version = 'v1beta1') => ({
    ...{ apiVersion: `devices.kubeedge.io/${version}`, kind, metadata: { name }, spec },
    ...more,
  })
  const create = (path: string, body: unknown) => done(api, { method: 'POST', path, body })
  const patch = (path: string, body: unknown) =>
    ask(api, { method: 'PATCH', path, body, headers: { 'content-type': 'application/merge-patch+json' } })

  it('C1 three kinds with the names of KubeEdge, in namespaces', async () => {
    const { json } = await ask(api, { path: `${GROUP}/v1beta1` })
    const resources = at(json, 'resources')
    assert.ok(Array.isArray(resources))
    const facts = resources.map((each) => [at(each, 'name'), at(each, 'kind'), at(each, 'namespaced')].join(' '))
    for (const fact of ['devices Device true', 'devicemodels DeviceModel true', 'devicestatuses DeviceStatus true'])
      assert.ok(facts.includes(fact), facts.join())
  })

  it('C2, C3 every field comes back as it went, TDEngine in its own case and free parts as deep as they are', async () => {
    const configData = { slaveID: 1, deep: [{ a: 1.5, b: { c: [true, 'x'] } }] }
    const dbMethod = { TDEngine: { TDEngineClientConfig: { addr: 'a', dbName: 'd' } } }
    const pushMethod = { dbMethod, anomalyDetection: { any: { thing: [1] } } }
    const spec = {
      deviceModelRef: { name: 'm' },
      nodeName: 'edge-1',
      protocol: { protocolName: 'modbus', configData },
      stateReport: { reportToCloud: true, reportCycle: 10000 },
      methods: [{ name: 'n', description: 'd', propertyNames: ['p'] }],
      properties: [{ name: 'p', visitors: { protocolName: 'modbus', configData }, collectCycle: 500, pushMethod }],
    }
    const made = await create(DEVICES, object('Device', 'whole', spec))
    assert.equal(JSON.stringify(at(made, 'spec')), JSON.stringify(spec))
    const model = { protocol: 'modbus', protocolConfigData: configData, properties: [{ name: 'p', type: 'INT' }] }
    assert.deepEqual(at(await create(MODELS, object('DeviceModel', 'm', model)), 'spec'), model)
    const status = { extensions: { any: { thing: [{ deep: 1 }] } } }
    assert.deepEqual(at(await create(STATUSES, object('DeviceStatus', 'x', {}, { status })), 'status'), status)
  })

  it('C4 desired asks for a value, and may be absent', async () => {
    const of = (property: object) => object('Device', 'desired', { properties: [{ name: 'p', ...property }] })
    await refused(api, { method: 'POST', path: DEVICES, body: of({ desired: {} }) }, 422, 'Invalid')
    await create(DEVICES, of({}))
  })

  it('C5, C6 exactly seven types in capitals, two access modes, and bounds that are texts', async () => {
    const of = (name: string, property: object) =>
      object('DeviceModel', name, { properties: [{ name: 'p', ...property }] })
    for (const type of ['INT', 'FLOAT', 'DOUBLE', 'STRING', 'BOOLEAN', 'BYTES', 'STREAM'])
      await create(
        MODELS,
        of(`type-${type.toLowerCase()}`, { type, accessMode: 'ReadWrite', minimum: '1', maximum: '2' }),
      )
    for (const bad of [{ type: 'int' }, { type: 'LONG' }, { accessMode: 'WriteOnly' }, { type: 'INT', minimum: 1 }])
      await refused(api, { method: 'POST', path: MODELS, body: of('bad', bad) }, 422, 'Invalid')
  })

  it('C7 manifests of v1alpha2 are taken', async () => {
    const propertyVisitors = [{ propertyName: 't', modbus: { register: 'CoilRegister', offset: 1, limit: 1 } }]
    const spec = { deviceModelRef: { name: 'm' }, protocol: { modbus: { slaveID: 1 } }, propertyVisitors }
    await create(`${paths('v1alpha2')}/devices`, object('Device', 'old', spec, {}, 'v1alpha2'))
    const type = { int: { accessMode: 'ReadWrite', defaultValue: 1 } }
    const model = object('DeviceModel', 'old', { properties: [{ name: 't', type }] }, {}, 'v1alpha2')
    await create(`${paths('v1alpha2')}/devicemodels`, model)
  })

  it('C8 a patch of devicestatuses changes status; there is no status subresource', async () => {
    await create(STATUSES, object('DeviceStatus', 'patched', {}, { status: { extensions: { a: 1 } } }))
    const { status, json } = await patch(`${STATUSES}/patched`, { status: { state: 'online' } })
    assert.equal(status, 200)
    assert.deepEqual(at(json, 'status'), { extensions: { a: 1 }, state: 'online' })
    assert.equal((await patch(`${STATUSES}/patched/status`, { status: { state: 'offline' } })).status, 404)
  })

  it('C15 what KubeEdge 1.22 kept in the status of a Device is kept', async () => {
    await create(DEVICES, object('Device', 'legacy', {}))
    const twins = [
      { propertyName: 'p', reported: { value: '1', metadata: { timestamp: '1' } }, desired: { value: '2' } },
    ]
    const status = { twins, reportToCloud: true, reportCycle: 10 }
    const { json } = await patch(`${DEVICES}/legacy/status`, { status })
    assert.deepEqual(at(json, 'status'), status)
  })
})
