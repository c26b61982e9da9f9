import { ACCESS_MODES, DESIRED_POLICIES, PROPERTY_TYPES } from '../device/index.ts'
import { AGE, type CrdVersion } from './definition.ts'
import {
  anything,
  described,
  flag,
  int,
  int32,
  int64,
  list,
  listMap,
  object,
  oneOf,
  root,
  text,
  texts,
} from './schema-parts.ts'

const protocolConfig = object({
  protocolName: described('Protocol; selects the mapper.', text),
  configData: described('What the mapper of the protocol needs to know.', anything),
})

const twinValue = described('A value as text, with its metadata.', object({ value: text, metadata: texts }, ['value']))

const dbMethod = object({
  influxdb2: object({
    influxdb2ClientConfig: object({ url: text, org: text, bucket: text }),
    influxdb2DataConfig: object({ measurement: text, tag: texts, fieldKey: text }),
  }),
  redis: object({ redisClientConfig: object({ addr: text, db: int, poolsize: int, minIdleConns: int }) }),
  TDEngine: object({ TDEngineClientConfig: object({ addr: text, dbName: text }) }),
  mysql: object({ mysqlClientConfig: object({ addr: text, database: text, userName: text }) }),
})

const pushMethod = object({
  http: object({ hostName: text, port: int64, requestPath: text, timeout: int64 }),
  mqtt: object({ address: text, topic: text, qos: int32, retained: flag }),
  otel: object({ endpointURL: text }),
  dbMethod,
  anomalyDetection: anything,
})

const deviceProperty = object(
  {
    name: described('Name of the property, as in the DeviceModel.', text),
    desired: described('What the property should be. Absent: nobody wishes anything.', twinValue),
    visitors: described('How to reach the property on the device.', protocolConfig),
    reportCycle: described('How often an unchanged value is reported, in ms.', int64),
    collectCycle: described('How often the device is read, in ms.', int64),
    reportToCloud: described('Whether the value goes to the cloud.', flag),
    pushMethod: described('Where the value goes beside the twin.', pushMethod),
  },
  ['name'],
)

const deviceSpec = object({
  deviceModelRef: described('The DeviceModel, in the same namespace.', {
    ...object({ name: { ...text, default: '' } }),
    'x-kubernetes-map-type': 'atomic',
  }),
  nodeName: described('The edge node that serves the device. Empty: none.', text),
  properties: described('What of the device is read and written.', listMap(deviceProperty, 'name')),
  protocol: described('How to reach the device.', protocolConfig),
  methods: list(object({ name: text, description: text, propertyNames: list(text) })),
  stateReport: described('Whether and how often (ms) the state goes to the cloud.', {
    ...object({ reportToCloud: flag, reportCycle: int64 }),
  }),
})

const condition = object(
  {
    type: { ...text, maxLength: 316 },
    status: oneOf('True', 'False', 'Unknown'),
    observedGeneration: { ...int64, minimum: 0 },
    lastTransitionTime: { ...text, format: 'date-time' },
    reason: { ...text, minLength: 1, maxLength: 1024, pattern: '^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$' },
    message: { ...text, maxLength: 32768 },
  },
  ['type', 'status', 'lastTransitionTime', 'reason', 'message'],
)

const statusTwin = object({ propertyName: text, reported: twinValue, observedDesired: twinValue })

const statusIntent = object(
  {
    propertyName: text,
    value: text,
    generation: int64,
    timestamp: described('When it was made, Unix ms.', int64),
    author: described('Field manager who made it.', text),
    seen: described('The wish of the edge that this Device showed then.', object({ edge: int64, timestamp: int64 })),
  },
  ['propertyName', 'value', 'generation'],
)

const conflictingWish = { value: text, timestamp: int64, author: text }

const statusConflict = object(
  {
    propertyName: text,
    id: text,
    standing: described('Neither side has wished for anything since.', flag),
    winner: oneOf('cloud', 'edge'),
    policy: oneOf(...DESIRED_POLICIES),
    cloud: object({ ...conflictingWish, generation: int64 }),
    edge: object(conflictingWish),
  },
  ['propertyName', 'id'],
)

/** Skerry's status; what KubeEdge up to 1.22 kept there (twins, report switches) stays readable and is not pruned. */
const deviceStatusOfDevice: CrdVersion['schema'] = {
  ...object({
    observedGeneration: int64,
    conditions: described('Accepted, Online, Synced, Agreed and Fresh.', listMap(condition, 'type')),
    state: described('online, offline, unhealthy or unknown.', text),
    lastOnlineTime: described('RFC 3339, UTC.', text),
    twins: list({ ...statusTwin, 'x-kubernetes-preserve-unknown-fields': true }),
    intents: described('When, and knowing what, each desired value was set.', listMap(statusIntent, 'propertyName')),
    conflicts: described(
      'Desired values that cloud and edge set without knowing of each other.',
      listMap(statusConflict, 'id'),
    ),
    reportToCloud: described('Legacy: see spec.stateReport.', flag),
    reportCycle: described('Legacy: see spec.stateReport.', int64),
  }),
  'x-kubernetes-preserve-unknown-fields': true,
}

export const deviceV1beta1: CrdVersion = {
  name: 'v1beta1',
  storage: true,
  status: true,
  columns: [
    { name: 'Node', type: 'string', jsonPath: '.spec.nodeName' },
    { name: 'Protocol', type: 'string', jsonPath: '.spec.protocol.protocolName' },
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Synced', type: 'string', jsonPath: '.status.conditions[?(@.type=="Synced")].status' },
    { name: 'Model', type: 'string', jsonPath: '.spec.deviceModelRef.name', priority: 1 },
    { name: 'Agreed', type: 'string', jsonPath: '.status.conditions[?(@.type=="Agreed")].status', priority: 1 },
    { name: 'Fresh', type: 'string', jsonPath: '.status.conditions[?(@.type=="Fresh")].status', priority: 1 },
    { name: 'Accepted', type: 'string', jsonPath: '.status.conditions[?(@.type=="Accepted")].status', priority: 1 },
    AGE,
  ],
  schema: root('One physical device: which model it is of, how to reach it, and what its properties should be.', {
    spec: deviceSpec,
    status: deviceStatusOfDevice,
  }),
}

const modelProperty = object(
  {
    name: text,
    description: text,
    type: oneOf(...PROPERTY_TYPES),
    accessMode: oneOf(...ACCESS_MODES),
    minimum: described('Smallest value, as text.', text),
    maximum: described('Largest value, as text.', text),
    unit: text,
    visitors: described('How to reach the property; keys of the device win.', protocolConfig),
  },
  ['name'],
)

export const deviceModelV1beta1: CrdVersion = {
  name: 'v1beta1',
  storage: true,
  columns: [{ name: 'Protocol', type: 'string', jsonPath: '.spec.protocol' }, AGE],
  schema: root('A type of device: what properties its devices have.', {
    spec: object({
      protocol: text,
      protocolConfigData: described('How to reach devices of this model; keys of the device win.', anything),
      properties: listMap(modelProperty, 'name'),
    }),
  }),
}

export const deviceStatusV1beta1: CrdVersion = {
  name: 'v1beta1',
  storage: true,
  columns: [
    { name: 'State', type: 'string', jsonPath: '.status.state' },
    { name: 'Last Online', type: 'string', jsonPath: '.status.lastOnlineTime' },
    AGE,
  ],
  schema: root('What a device reported. Same name and namespace as its Device, which owns it.', {
    spec: { type: 'object' },
    status: object({
      twins: list(statusTwin),
      state: text,
      lastOnlineTime: text,
      extensions: described('Reserved for third parties.', anything),
    }),
  }),
}
