import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Json, JsonObject } from '../kubernetes.ts'
import { ALPHA_ANNOTATION, BETA_ANNOTATION, conversionProblems, toAlpha, toBeta } from './index.ts'

const metadata = { name: 'meter', namespace: 'default', uid: 'u-1', labels: { description: 'a meter' } }

function alpha(kind: 'Device' | 'DeviceModel', spec: JsonObject, twins?: Json): JsonObject {
  const status = twins === undefined ? {} : { status: { twins } }
  return { apiVersion: 'devices.kubeedge.io/v1alpha2', kind, metadata, spec, ...status }
}

function beta(kind: 'Device' | 'DeviceModel', spec: JsonObject, status?: JsonObject): JsonObject {
  return { apiVersion: 'devices.kubeedge.io/v1beta1', kind, metadata, spec, ...(status ? { status } : {}) }
}

const ON_EDGE_1 = {
  nodeSelectorTerms: [{ matchExpressions: [{ key: '', operator: 'In', values: ['edge-1'] }] }],
}

const METER = alpha(
  'Device',
  {
    deviceModelRef: { name: 'meter' },
    nodeSelector: ON_EDGE_1,
    protocol: {
      modbus: { slaveID: 7 },
      common: { com: { serialPort: '/dev/ttyS0', baudRate: 9600, dataBits: 8, parity: 'even', stopBits: 1 } },
    },
    propertyVisitors: [
      {
        propertyName: 'power',
        modbus: { register: 'HoldingRegister', offset: 2, limit: 2, scale: 0.1, isRegisterSwap: true },
        collectCycle: 500_000_000,
        reportCycle: 2_000_000_000,
      },
    ],
    data: { dataTopic: '$ke/events/device/+/data/update', dataProperties: [{ propertyName: 'energy' }] },
  },
  [{ propertyName: 'limit', desired: { value: '12', metadata: { type: 'int' } }, reported: { value: '3' } }],
)

test('a Modbus meter becomes what its mapper understands, on its node, with its desired value', () => {
  const converted = toBeta('Device', METER)
  assert.deepEqual(converted['spec'], {
    deviceModelRef: { name: 'meter' },
    nodeName: 'edge-1',
    protocol: {
      protocolName: 'modbus',
      configData: {
        mode: 'RTU',
        serialPort: '/dev/ttyS0',
        baudRate: 9600,
        dataBits: 8,
        parity: 'even',
        stopBits: 1,
        unitId: 7,
      },
    },
    properties: [
      {
        name: 'power',
        visitors: {
          protocolName: 'modbus',
          configData: { register: 'HoldingRegister', offset: 2, limit: 2, scale: 0.1, isRegisterSwap: true },
        },
        reportCycle: 2000,
        collectCycle: 500,
      },
      { name: 'limit', desired: { value: '12', metadata: { type: 'int' } } },
      { name: 'energy' },
    ],
  })
  assert.deepEqual(conversionProblems('Device', converted), [])
})

test('an OPC UA server keeps its address; its password has no place in a manifest', () => {
  const opcua = {
    url: 'opc.tcp://plc:4840',
    userName: 'op',
    password: 'secret',
    securityPolicy: 'basic256sha256',
    securityMode: 'signandencrypt',
    certificate: '/ca/client.crt',
  }
  const visitors = [{ propertyName: 'level', opcua: { nodeID: 'ns=2;i=1005', browseName: 'Level' } }]
  const converted = toBeta('Device', alpha('Device', { protocol: { opcua }, propertyVisitors: visitors }))
  assert.deepEqual(converted['spec'], {
    protocol: {
      protocolName: 'opcua',
      configData: {
        url: 'opc.tcp://plc:4840',
        username: 'op',
        securityPolicy: 'Basic256Sha256',
        securityMode: 'SignAndEncrypt',
        certificateFile: '/ca/client.crt',
      },
    },
    properties: [{ name: 'level', visitors: { protocolName: 'opcua', configData: { nodeId: 'ns=2;i=1005' } } }],
  })
  assert.match(conversionProblems('Device', converted).join(), /passwordFile/)
})

test('what names no single node, no protocol or a GATT characteristic is told, until somebody mends it', () => {
  const many = [{ matchExpressions: [{ key: 'a', operator: 'In', values: ['edge-1', 'edge-2'] }] }]
  const gatt = alpha('Device', {
    nodeSelector: { nodeSelectorTerms: many },
    protocol: { bluetooth: { macAddress: 'A4:C1:38:1A:49:90' } },
    propertyVisitors: [{ propertyName: 'temperature', bluetooth: { characteristicUUID: 'f000aa0104514000b000' } }],
  })
  const converted = toBeta('Device', gatt)
  assert.equal(conversionProblems('Device', converted).length, 2)
  assert.match(conversionProblems('Device', converted)[0] ?? '', /nodeName/)
  const mended = { ...converted, spec: { nodeName: 'edge-1', protocol: { protocolName: 'acme' } } }
  assert.deepEqual(conversionProblems('Device', mended), [])
  assert.match(conversionProblems('Device', toBeta('Device', alpha('Device', {}))).join(), /protocolName/)
  assert.deepEqual(conversionProblems('Device', beta('Device', {})), [])
})

test('cycles are milliseconds; what would be less than one was meant as milliseconds', () => {
  const cycles = [1_000_000_000, 1_000_000, 1000, 1, 0, -5]
  const propertyVisitors = cycles.map((collectCycle, index) => ({ propertyName: `p${index}`, collectCycle }))
  const { spec } = toBeta('Device', alpha('Device', { propertyVisitors }))
  assert.match(
    JSON.stringify(spec),
    /1000\},.*"collectCycle":1\},.*"collectCycle":1000\},.*"collectCycle":1\},\{"name":"p4"\},\{"name":"p5"\}/,
  )
})

test('a model says its types in capitals, and its bounds as text', () => {
  const properties = [
    {
      name: 't',
      description: 'd',
      type: { double: { accessMode: 'ReadOnly', minimum: -1.5, maximum: 2, unit: '°C' } },
    },
    { name: 'on', type: { boolean: { accessMode: 'ReadWrite', defaultValue: true } } },
    { name: 'raw', type: { bytes: {} } },
    { name: 'none' },
  ]
  const model = alpha('DeviceModel', { protocol: 'modbus', properties })
  const converted = toBeta('DeviceModel', model)
  assert.deepEqual(converted['spec'], {
    protocol: 'modbus',
    properties: [
      {
        name: 't',
        description: 'd',
        type: 'DOUBLE',
        accessMode: 'ReadOnly',
        minimum: '-1.5',
        maximum: '2',
        unit: '°C',
      },
      { name: 'on', type: 'BOOLEAN', accessMode: 'ReadWrite' },
      { name: 'raw', type: 'BYTES' },
      { name: 'none' },
    ],
  })
  assert.deepEqual(conversionProblems('DeviceModel', converted), [
    'property none has no type: write one of INT, DOUBLE, FLOAT, STRING, BOOLEAN, BYTES',
  ])
  assert.deepEqual(toAlpha('DeviceModel', converted), model)
})

test('an object of the old version comes back as it was written, with what its device reports', () => {
  const converted = toBeta('Device', METER)
  const status = { twins: [{ propertyName: 'power', reported: { value: '5' } }], state: 'online' }
  const back = toAlpha('Device', { ...converted, status })
  assert.deepEqual(back['spec'], METER['spec'])
  assert.deepEqual(back['status'], {
    twins: [
      { propertyName: 'limit', desired: { value: '12', metadata: { type: 'int' } } },
      { propertyName: 'power', reported: { value: '5' } },
    ],
  })
  assert.deepEqual(toBeta('Device', back), { ...converted, status })
})

test('an edit of the new version is seen in the old one', () => {
  const converted = toBeta('Device', METER)
  const moved = { ...converted, spec: { ...Object(converted['spec']), nodeName: 'edge-2' } }
  const back = toAlpha('Device', moved)
  assert.match(JSON.stringify(back['spec']), /"values":\["edge-2"\]/)
  assert.deepEqual(toBeta('Device', back)['spec'], moved.spec)
})

const RICH = beta(
  'Device',
  {
    deviceModelRef: { name: 'pump' },
    nodeName: 'edge-1',
    protocol: { protocolName: 'modbus', configData: { host: 'h', port: 502 } },
    properties: [
      {
        name: 'speed',
        desired: { value: '5' },
        visitors: { protocolName: 'modbus', configData: { register: 'HoldingRegister', offset: 1 } },
        collectCycle: 500,
        reportToCloud: true,
        pushMethod: { mqtt: { address: 'a' } },
      },
      { name: 'level' },
    ],
    methods: [{ name: 'reset' }],
  },
  { state: 'online', conditions: [{ type: 'Online' }] },
)

/** RICH as v1alpha2 shows it, with parts of it replaced: the way of an edit with kubectl. */
function editedOf(spec: JsonObject, status?: JsonObject): JsonObject {
  const shown = toAlpha('Device', RICH)
  return toBeta('Device', { ...shown, spec: { ...Object(shown['spec']), ...spec }, ...(status ? { status } : {}) })
}

const VISITORS = Object(toAlpha('Device', RICH)['spec']).propertyVisitors

function richWith(spec: JsonObject): JsonObject {
  return { ...RICH, spec: { ...Object(RICH['spec']), ...spec } }
}

test('an edit of the old version changes only what it says, and loses nothing of the new one', () => {
  const [speed, level] = Object(RICH['spec']).properties
  const faster = { ...speed, desired: { value: '9' } }
  assert.deepEqual(
    editedOf({ nodeSelector: ON_EDGE_1 }, { twins: [{ propertyName: 'speed', desired: { value: '9' } }] }),
    richWith({ properties: [faster, level] }),
  )
  const onEdge2 = { nodeSelectorTerms: [{ matchExpressions: [{ key: '', operator: 'In', values: ['edge-2'] }] }] }
  assert.deepEqual(editedOf({ nodeSelector: onEdge2 }), richWith({ nodeName: 'edge-2' }))
})

test('a desired value that is taken out of the old version is gone from the new one', () => {
  const [{ desired: _gone, ...speed }, level] = Object(RICH['spec']).properties
  for (const twins of [[], [{ propertyName: 'speed', reported: { value: '5' } }]])
    assert.deepEqual(editedOf({}, { twins }), richWith({ properties: [speed, level] }))
})

test('visitors that come and go in the old version are properties that come and go', () => {
  const [speed, level] = Object(RICH['spec']).properties
  const visitor = { propertyName: 'flow', collectCycle: 1_000_000_000, modbus: { register: 'CoilRegister', offset: 3 } }
  const visitors = { protocolName: 'modbus', configData: { register: 'CoilRegister', offset: 3 } }
  assert.deepEqual(
    editedOf({ propertyVisitors: [...VISITORS, visitor] }),
    richWith({ properties: [speed, level, { name: 'flow', visitors, collectCycle: 1000 }] }),
  )
  assert.deepEqual(editedOf({ propertyVisitors: [VISITORS[0]] }), richWith({ properties: [speed] }))
})

test('an annotation that somebody broke is of no use, and does no harm', () => {
  const shown = toAlpha('Device', RICH)
  const broken = { ...shown, metadata: { ...metadata, annotations: { [BETA_ANNOTATION]: '{', other: 'x' } } }
  const back = toBeta('Device', broken)
  assert.match(JSON.stringify(back), /"nodeName":"edge-1"/)
  assert.match(JSON.stringify(back), new RegExp(`"other":"x","${ALPHA_ANNOTATION}"`))
})

const text = fc.constantFrom('a', 'b', 'edge-1', '')
const anything: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 2 })
  .map((value): Json => JSON.parse(JSON.stringify(value)))
const object = (fields: Record<string, fc.Arbitrary<Json>>): fc.Arbitrary<JsonObject> =>
  fc
    .record(fields, { requiredKeys: [], noNullPrototype: true })
    .map((value): JsonObject => JSON.parse(JSON.stringify(value)))
const listOf = (item: fc.Arbitrary<Json>) => fc.array(item, { maxLength: 3 })

const alphaSpec = object({
  deviceModelRef: object({ name: text }),
  nodeSelector: object({
    nodeSelectorTerms: listOf(
      object({ matchExpressions: listOf(object({ operator: fc.constant('In'), values: listOf(text) })) }),
    ),
  }),
  protocol: object({
    modbus: object({ slaveID: fc.integer() }),
    opcua: object({ url: text, password: text, certificate: text }),
    bluetooth: object({ macAddress: text }),
    customizedProtocol: object({ protocolName: text, configData: anything }),
    common: object({
      com: object({ serialPort: text }),
      tcp: object({ ip: text, port: fc.integer() }),
      customizedValues: anything,
    }),
  }),
  propertyVisitors: listOf(
    object({
      propertyName: text,
      collectCycle: fc.integer(),
      modbus: object({ register: text, offset: fc.integer() }),
      bluetooth: object({ characteristicUUID: text }),
      customizedProtocol: object({ protocolName: text, configData: anything }),
      customizedValues: anything,
    }),
  ),
  data: anything,
})

test('whatever an object of the old version holds: there and back, it is the same', () => {
  const twins = listOf(object({ propertyName: text, desired: object({ value: text }) }))
  fc.assert(
    fc.property(alphaSpec, fc.option(twins, { nil: undefined }), (spec, given) => {
      const kept = given?.filter((twin) => Object.hasOwn(Object(twin), 'desired'))
      const unique = new Map(kept?.map((twin) => [JSON.stringify(Object(twin).propertyName), twin]))
      const first = alpha('Device', spec, unique.size > 0 ? [...unique.values()] : undefined)
      assert.deepEqual(toAlpha('Device', toBeta('Device', first)), first)
    }),
  )
})

test('whatever an object of the new version holds: there and back, it is the same', () => {
  const property = object({
    name: text,
    desired: object({ value: text }),
    visitors: object({ protocolName: text, configData: anything }),
    collectCycle: fc.integer(),
    reportToCloud: fc.boolean(),
    pushMethod: anything,
  })
  const spec = object({
    deviceModelRef: object({ name: text }),
    nodeName: text,
    protocol: object({ protocolName: text, configData: anything }),
    properties: listOf(property),
    methods: anything,
    stateReport: anything,
  })
  fc.assert(
    fc.property(spec, fc.option(object({ state: text, twins: anything }), { nil: undefined }), (given, status) => {
      const first = beta('Device', given, status)
      assert.deepEqual(toBeta('Device', toAlpha('Device', first)), first)
    }),
  )
})
