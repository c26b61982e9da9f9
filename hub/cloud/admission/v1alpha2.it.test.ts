import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import modbus from '../../../mappers/modbus/index.ts'
import { ALPHA_ANNOTATION } from '../../../schemas/index.ts'
import { needs } from '../../../tools/testing/needs.ts'
import { kubectl } from '../../apiserver/testing/kubectl.ts'
import { at, done, until } from '../../apiserver/testing/objects.ts'
import { startWholeCloud } from '../testing/kubeedge/whole-cloud.ts'

const MODEL = `apiVersion: devices.kubeedge.io/v1alpha2
kind: DeviceModel
metadata: {name: heat-meter}
spec:
  properties:
  - name: flow
    description: litres per hour
    type: {int: {accessMode: ReadOnly, maximum: 10000, unit: l/h}}
  - name: valve
    type: {int: {accessMode: ReadWrite, minimum: 0, maximum: 100, defaultValue: 50}}
`
const METER = `apiVersion: devices.kubeedge.io/v1alpha2
kind: Device
metadata: {name: cellar, labels: {description: heat-meter}}
spec:
  deviceModelRef: {name: heat-meter}
  protocol:
    modbus: {slaveID: 3}
    common: {com: {serialPort: /dev/ttyS1, baudRate: 9600, dataBits: 8, parity: even, stopBits: 1}}
  nodeSelector:
    nodeSelectorTerms:
    - matchExpressions: [{key: '', operator: In, values: [edge-1]}]
  propertyVisitors:
  - propertyName: flow
    modbus: {register: InputRegister, offset: 4, limit: 1}
    collectCycle: 2000000000
  - propertyName: valve
    modbus: {register: HoldingRegister, offset: 9, limit: 1}
status:
  twins:
  - propertyName: valve
    desired: {value: '40', metadata: {type: int}}
`
const TAG = `apiVersion: devices.kubeedge.io/v1alpha2
kind: Device
metadata: {name: tag}
spec:
  deviceModelRef: {name: heat-meter}
  protocol: {bluetooth: {macAddress: 'A4:C1:38:1A:49:90'}}
  nodeSelector:
    nodeSelectorTerms:
    - matchExpressions: [{key: '', operator: In, values: [edge-1]}]
  propertyVisitors:
  - propertyName: flow
    bluetooth: {characteristicUUID: f000aa0104514000b000000000000000}
`
const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices'
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const ALPHA = 'devices.v1alpha2.devices.kubeedge.io'
const options = { skip: needs('kubectl'), timeout: 120_000 }

async function setup(t: TestContext) {
  const whole = await startWholeCloud(t)
  const isRegistered = (crd: unknown) => at(crd, 'spec', 'conversion', 'strategy') === 'Webhook'
  for (const plural of ['devices', 'devicemodels'])
    await until(whole.api, `${CRDS}/${plural}.devices.kubeedge.io`, isRegistered)
  const attempt = (parameters: string, more: Parameters<typeof kubectl>[2] = {}) =>
    kubectl(whole.api, parameters.split(' '), more)
  const run = async (parameters: string, more: Parameters<typeof kubectl>[2] = {}) => {
    const { code, out, err } = await attempt(parameters, more)
    assert.equal(code, 0, err)
    return out
  }
  const device = (name: string) => done(whole.api, { path: `${DEVICES}/${name}` })
  const accepted = (name: string, reason: string) =>
    until(whole.api, `${DEVICES}/${name}`, (object) => at(conditionOf(object), 'reason') === reason)
  return { whole, attempt, run, device, accepted }
}

function conditionOf(device: unknown): unknown {
  const conditions = at(device, 'status', 'conditions')
  return Array.isArray(conditions) ? conditions.find((each) => at(each, 'type') === 'Accepted') : undefined
}

test(
  'v1alpha2 manifests apply, show and are edited with kubectl, and are what the Modbus mapper takes',
  options,
  async (t) => {
    const { whole, run, device, attempt } = await setup(t)
    assert.match(await run('apply -f -', { input: `${MODEL}---\n${METER}` }), /heat-meter created\n.*cellar created/)
    const meter = await device('cellar')
    assert.equal(at(meter, 'spec', 'nodeName'), 'edge-1')
    assert.deepEqual(at(meter, 'spec', 'properties', 1, 'desired'), { value: '40', metadata: { type: 'int' } })
    const config = modbus.deviceConfig.parse(at(meter, 'spec', 'protocol', 'configData'))
    assert.ok(config.ok, JSON.stringify(config))
    assert.equal(config.value.unitId, 3)
    for (const index of [0, 1]) {
      const visitor = modbus.visitorConfig.parse(at(meter, 'spec', 'properties', index, 'visitors', 'configData'))
      assert.ok(visitor.ok, JSON.stringify(visitor))
      const property = { name: 'x', type: 'INT', accessMode: index === 0 ? 'ReadOnly' : 'ReadWrite' } as const
      assert.equal(modbus.reject?.(property, visitor.value, config.value), undefined)
    }

    const shown = await run(`get ${ALPHA} cellar -o yaml`)
    assert.match(shown, /slaveID: 3/)
    assert.match(shown, /value: "40"/)
    assert.match(await run('apply -f -', { input: METER }), /cellar unchanged/)
    const environment = { KUBE_EDITOR: `sed -i -e 's/- edge-1/- edge-2/' -e 's/baudRate: 9600/baudRate: 19200/'` }
    assert.match(await run(`edit ${ALPHA} cellar`, { environment }), /cellar edited/)
    const edited = await device('cellar')
    assert.equal(at(edited, 'spec', 'nodeName'), 'edge-2')
    assert.equal(at(edited, 'spec', 'protocol', 'configData', 'baudRate'), 19200)
    await run(
      `patch ${ALPHA} cellar --type json -p [{"op":"replace","path":"/status/twins/0/desired/value","value":"60"}]`,
    )
    assert.equal(at(await device('cellar'), 'spec', 'properties', 1, 'desired', 'value'), '60')
    const refused = await attempt(
      `patch ${ALPHA} cellar --type json -p [{"op":"replace","path":"/status/twins/0/desired/value","value":"600"}]`,
    )
    assert.match(refused.err, /properties\[1\]\.desired\.value.*600/)

    const seen = new AbortController()
    const watching = attempt('get devices -A -w', {
      signal: seen.signal,
      onOut: (out) => /cellar.*late/s.test(out) && seen.abort(),
    })
    await run('apply -f -', { input: METER.replaceAll('cellar', 'late') })
    assert.match((await watching).out, /NODE.*cellar +edge-2.*late/s)
    assert.equal((await run(`get ${ALPHA}`)).split('\n').length, 4)
    await run(`delete ${ALPHA} cellar`)
    await whole.stop()
  },
)

test(
  'a device that v1beta1 cannot say goes to no node, and tells what to write until somebody does',
  options,
  async (t) => {
    const { whole, run, accepted } = await setup(t)
    const edge = await whole.edge()
    await run('apply -f -', { input: `${MODEL}---\n${TAG}---\n${METER}` })
    const tag = await accepted('tag', 'NotConvertible')
    assert.match(String(at(conditionOf(tag), 'message')), /flow is a Bluetooth GATT characteristic/)
    const cellar = await edge.hears((frame) => frame.route.resource === 'default/device/cellar')
    assert.ok(!JSON.stringify(cellar).includes(ALPHA_ANNOTATION))
    assert.ok(!edge.summary().some((line) => line.includes('tag')), edge.summary().join())
    const patch = { spec: { protocol: { protocolName: 'acme' }, properties: [{ name: 'flow' }] } }
    await run(`patch devices.devices.kubeedge.io tag --type merge -p ${JSON.stringify(patch)}`)
    await edge.hears((frame) => frame.route.resource === 'default/device/tag')
    await until(whole.api, `${DEVICES}/tag`, (object) => at(conditionOf(object), 'reason') !== 'NotConvertible')
  },
)

test('while the cloud half is down v1beta1 goes on, and v1alpha2 says who cannot be asked', options, async (t) => {
  const { whole, run, attempt } = await setup(t)
  await run('apply -f -', { input: `${MODEL}---\n${METER}` })
  await whole.stop()
  const message = /conversion webhook for devices\.kubeedge\.io\/v1beta1, Kind=Device failed: .*connection refused/
  assert.match((await attempt(`get ${ALPHA} cellar`)).err, message)
  assert.match((await attempt(`get ${ALPHA}`)).err, message)
  assert.match((await attempt('apply -f -', { input: METER.replaceAll('cellar', 'other') })).err, /Kind=Device failed/)
  assert.match(await run('get devices'), /cellar +edge-1/)
  await run('label devices cellar floor=0')
  const url = async () => at(await done(whole.api, { path: `${CRDS}/devices.devices.kubeedge.io` }), ...URL_PATH)
  const before = await url()
  await whole.restart()
  await until(whole.api, `${CRDS}/devicemodels.devices.kubeedge.io`, (crd) => at(crd, ...URL_PATH) !== before)
  assert.match(await run(`get ${ALPHA} cellar -o yaml`), /slaveID: 3/)
})

const URL_PATH = ['spec', 'conversion', 'webhook', 'clientConfig', 'url'] as const
