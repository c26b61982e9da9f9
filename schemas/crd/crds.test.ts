import assert from 'node:assert/strict'
import { describe, it, test } from 'node:test'
import { BUILTIN_DEFINITIONS } from '../../hub/kube/builtin/index.ts'
import { definitionsOfCrd, prepareCrd, validateCrd } from '../../hub/kube/crd/index.ts'
import type { ApiObject, ResourceDefinition } from '../../hub/kube/resource.ts'
import { applyDefaults, decodingError, fieldErrorText, prune, validateObject } from '../../hub/kube/schema/index.ts'
import { toTable } from '../../hub/kube/table/index.ts'
import type { JsonObject } from '../device/index.ts'
import { crds, deviceCrd, deviceModelCrd, deviceStatusCrd } from './index.ts'

test('every definition is one that an API server takes, without a field that it does not know', () => {
  const [own] = BUILTIN_DEFINITIONS.filter(({ kind }) => kind === 'CustomResourceDefinition')
  assert.ok(own)
  for (const crd of crds) {
    assert.equal(decodingError(own, crd), undefined)
    assert.deepEqual(prune(own, crd), { object: crd, unknown: [] })
    assert.deepEqual(validateCrd(prepareCrd(crd)).map(fieldErrorText), [])
  }
})

test('groups, names, scopes and versions are those of KubeEdge', () => {
  const facts = crds.flatMap(definitionsOfCrd).map((each) => {
    const scope = each.namespaced ? 'Namespaced' : 'Cluster'
    const flags = [each.storage ? 'storage' : 'served', each.statusSubresource ? 'status' : '-'].join(' ')
    return `${each.plural}.${each.group}/${each.version} ${each.kind} ${scope} ${flags} ${each.shortNames.join()}`.trim()
  })
  assert.deepEqual(facts, [
    'devicemodels.devices.kubeedge.io/v1beta1 DeviceModel Namespaced storage -',
    'devicemodels.devices.kubeedge.io/v1alpha2 DeviceModel Namespaced served -',
    'devices.devices.kubeedge.io/v1beta1 Device Namespaced storage status',
    'devices.devices.kubeedge.io/v1alpha2 Device Namespaced served -',
    'devicestatuses.devices.kubeedge.io/v1beta1 DeviceStatus Namespaced storage -',
    'devicestatuses.devices.kubeedge.io/v1alpha2 DeviceStatus Namespaced served -',
    'objectsyncs.reliablesyncs.kubeedge.io/v1alpha1 ObjectSync Namespaced storage status',
    'clusterobjectsyncs.reliablesyncs.kubeedge.io/v1alpha1 ClusterObjectSync Cluster storage status',
    'rules.rules.kubeedge.io/v1 Rule Namespaced storage -',
    'ruleendpoints.rules.kubeedge.io/v1 RuleEndpoint Namespaced storage - re',
  ])
})

test('a Device with every field there is comes back as it went', () => {
  const device = object('Device', FULL_SPEC, {
    reportToCloud: true,
    reportCycle: 10,
    twins: [{ propertyName: 'p', reported: { value: '1', metadata: { timestamp: '1' } }, desired: { value: '2' } }],
  })
  accepts(version(deviceCrd, 'v1beta1'), device)
})

test('a DeviceModel and a DeviceStatus come back as they went, free parts included', () => {
  const property = {
    name: 'p',
    description: 'd',
    type: 'INT',
    accessMode: 'ReadOnly',
    minimum: '0',
    maximum: '9',
    unit: 'K',
  }
  const visitors = { protocolName: 'modbus', configData: { register: 'X', deep: { list: [1, { a: null }] } } }
  const model = object('DeviceModel', {
    protocol: 'modbus',
    protocolConfigData: { a: { b: [1] } },
    properties: [{ ...property, visitors }],
  })
  accepts(version(deviceModelCrd, 'v1beta1'), model)
  const status = {
    state: 'online',
    lastOnlineTime: 'x',
    extensions: { any: { thing: [] } },
    twins: [{ propertyName: 'p' }],
  }
  accepts(version(deviceStatusCrd, 'v1beta1'), object('DeviceStatus', {}, status))
})

test('desired asks for a value, and may be absent', () => {
  const device = version(deviceCrd, 'v1beta1')
  assert.deepEqual(faults(device, object('Device', { properties: [{ name: 'a', desired: {} }, { name: 'b' }] })), [
    'spec.properties[0].desired.value: Required value',
  ])
})

test('a property name occurs once, in devices and in models', () => {
  const properties = [{ name: 'a' }, { name: 'b' }, { name: 'a' }]
  for (const [crd, kind] of [
    [deviceCrd, 'Device'],
    [deviceModelCrd, 'DeviceModel'],
  ] as const) {
    assert.deepEqual(faults(version(crd, 'v1beta1'), object(kind, { properties })), [
      'spec.properties[2]: Duplicate value: {"name":"a"}',
    ])
  }
})

test('types and access modes are exactly those of KubeEdge, bounds are texts', () => {
  const model = version(deviceModelCrd, 'v1beta1')
  const of = (property: JsonObject) =>
    faults(model, object('DeviceModel', { properties: [{ name: 'a', ...property }] }))
  for (const type of ['INT', 'FLOAT', 'DOUBLE', 'STRING', 'BOOLEAN', 'BYTES', 'STREAM'])
    assert.deepEqual(of({ type }), [])
  assert.deepEqual(of({ type: 'int' }).length, 1)
  assert.deepEqual(of({ accessMode: 'WriteOnly' }).length, 1)
  assert.match(of({ minimum: 1 })[0] ?? '', /spec.properties\[0\].minimum in body must be of type string: "integer"/)
})

test('manifests of v1alpha2 are taken', () => {
  accepts(
    version(deviceCrd, 'v1alpha2'),
    object(
      'Device',
      {
        deviceModelRef: { name: 'm' },
        protocol: {
          modbus: { slaveID: 1 },
          common: { com: { serialPort: '1', baudRate: 9600, parity: 'even' }, customizedValues: { a: 1 } },
        },
        propertyVisitors: [
          { propertyName: 't', modbus: { register: 'HoldingRegister', offset: 1, limit: 1, scale: 0.1, isSwap: true } },
          { propertyName: 'u', opcua: { nodeID: 'ns=1,i=1' }, bluetooth: { dataWrite: { ON: 'AQ==' } } },
        ],
        data: { dataProperties: [{ propertyName: 't', metadata: { type: 'int' } }], dataTopic: 'x' },
        nodeSelector: { nodeSelectorTerms: [{ matchExpressions: [{ key: '', operator: 'In', values: ['edge-1'] }] }] },
      },
      { twins: [{ propertyName: 't', desired: { value: '1', metadata: { type: 'int' } } }] },
      'v1alpha2',
    ),
  )
  const type = { int: { accessMode: 'ReadWrite', defaultValue: 1, minimum: 0, maximum: 9, unit: 'C' } }
  accepts(
    version(deviceModelCrd, 'v1alpha2'),
    object('DeviceModel', { properties: [{ name: 't', description: '', type }] }, undefined, 'v1alpha2'),
  )
})

describe('columns of devices', () => {
  const status = {
    state: 'online',
    conditions: [
      condition('Synced', 'True'),
      condition('Agreed', 'Unknown'),
      condition('Fresh', 'False'),
      condition('Accepted', 'True'),
    ],
  }
  const spec = {
    nodeName: 'edge-1',
    protocol: { protocolName: 'modbus' },
    deviceModelRef: { name: 'pump' },
  }
  const table = toTable(version(deviceCrd, 'v1beta1'), [object('Device', spec, status)], {
    now: Date.parse('2026-01-01T00:00:30Z'),
    include: 'None',
  })
  const columns: readonly JsonObject[] = JSON.parse(JSON.stringify(table['columnDefinitions']))
  const [row]: readonly { readonly cells: readonly unknown[] }[] = JSON.parse(JSON.stringify(table['rows']))
  const printed = (priority: number) =>
    columns.flatMap((each, position) => (each['priority'] === priority ? [[each['name'], row?.cells[position]]] : []))

  it('print node, protocol, state, sync and age', () => {
    assert.deepEqual(printed(0), [
      ['Name', 'a'],
      ['Node', 'edge-1'],
      ['Protocol', 'modbus'],
      ['State', 'online'],
      ['Synced', 'True'],
      ['Age', '30s'],
    ])
  })

  it('print model, agreement, freshness and acceptance where more is asked for', () => {
    assert.deepEqual(printed(1), [
      ['Model', 'pump'],
      ['Agreed', 'Unknown'],
      ['Fresh', 'False'],
      ['Accepted', 'True'],
    ])
  })
})

function condition(type: string, status: string): JsonObject {
  return { type, status, reason: 'Any', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
}

const FULL_SPEC: JsonObject = {
  deviceModelRef: { name: 'm' },
  nodeName: 'edge-1',
  protocol: { protocolName: 'modbus', configData: { slaveID: 1, deep: [{ a: 1.5 }, null, 'x'] } },
  methods: [{ name: 'n', description: 'd', propertyNames: ['p'] }],
  stateReport: { reportToCloud: true, reportCycle: 10000 },
  properties: [
    {
      name: 'p',
      desired: { value: '80', metadata: { type: 'int' } },
      visitors: { protocolName: 'modbus', configData: { offset: 2, nested: { a: [true] } } },
      reportCycle: 1000,
      collectCycle: 500,
      reportToCloud: false,
      pushMethod: {
        http: { hostName: 'h', port: 80, requestPath: '/', timeout: 5 },
        mqtt: { address: 'tcp://x', topic: 't', qos: 1, retained: true },
        otel: { endpointURL: 'http://o' },
        anomalyDetection: { any: { thing: [1] } },
        dbMethod: {
          influxdb2: {
            influxdb2ClientConfig: { url: 'u', org: 'o', bucket: 'b' },
            influxdb2DataConfig: { measurement: 'm', tag: { a: 'b' }, fieldKey: 'f' },
          },
          redis: { redisClientConfig: { addr: 'a', db: 0, poolsize: 1, minIdleConns: 2 } },
          TDEngine: { TDEngineClientConfig: { addr: 'a', dbName: 'd' } },
          mysql: { mysqlClientConfig: { addr: 'a', database: 'd', userName: 'u' } },
        },
      },
    },
  ],
}

function accepts(definition: ResourceDefinition, given: ApiObject): void {
  const { object: kept, unknown } = prune(definition, given)
  assert.deepEqual(unknown, [])
  assert.equal(JSON.stringify(applyDefaults(definition, kept)), JSON.stringify(given))
  assert.deepEqual(faults(definition, given), [])
}

function faults(definition: ResourceDefinition, given: ApiObject): readonly string[] {
  return validateObject(definition, given).map(fieldErrorText)
}

function version(crd: ApiObject, name: string): ResourceDefinition {
  const found = definitionsOfCrd(crd).find((each) => each.version === name)
  assert.ok(found)
  return found
}

function object(kind: string, spec: JsonObject, status?: JsonObject, name = 'v1beta1'): ApiObject {
  const apiVersion = `devices.kubeedge.io/${name}`
  const metadata = { name: 'a', namespace: 'default', creationTimestamp: '2026-01-01T00:00:00Z' }
  return { apiVersion, kind, metadata, spec, ...(status ? { status } : {}) }
}
