import type { CrdVersion } from './definition.ts'
import {
  anything,
  type CrdSchema,
  flag,
  float,
  int,
  int64,
  list,
  object,
  oneOf,
  root,
  text,
  texts,
} from './schema-parts.ts'

// The version that KubeEdge 1.4 to 1.14 wrote. Accepted, so that old manifests apply.

const customized = object({ protocolName: text, configData: anything })

const protocol = object({
  opcua: object({
    url: text,
    userName: text,
    password: text,
    securityPolicy: text,
    securityMode: text,
    certificate: text,
    privateKey: text,
    timeout: int64,
  }),
  modbus: object({ slaveID: { ...int64, minimum: 0, maximum: 255 } }),
  bluetooth: object({ macAddress: text }),
  common: object({
    com: object({
      serialPort: text,
      baudRate: {
        ...oneOf(115200, 57600, 38400, 19200, 9600, 4800, 2400, 1800, 1200, 600, 300, 200, 150, 134, 110, 75, 50),
        format: 'int64',
      },
      dataBits: { ...oneOf(8, 7, 6, 5), format: 'int64' },
      parity: oneOf('none', 'even', 'odd'),
      stopBits: { ...oneOf(1, 2), format: 'int64' },
    }),
    tcp: object({ ip: text, port: int64 }),
    commType: text,
    reconnTimeout: int64,
    reconnRetryTimes: int64,
    collectTimeout: int64,
    collectRetryTimes: int64,
    collectType: oneOf('sync', 'async'),
    customizedValues: anything,
  }),
  customizedProtocol: customized,
})

const propertyVisitor = object({
  propertyName: text,
  reportCycle: int64,
  collectCycle: int64,
  customizedValues: anything,
  opcua: object({ nodeID: text, browseName: text }),
  modbus: object({
    register: oneOf('CoilRegister', 'DiscreteInputRegister', 'InputRegister', 'HoldingRegister'),
    offset: int64,
    limit: int64,
    scale: { ...float, format: 'double' },
    isSwap: flag,
    isRegisterSwap: flag,
  }),
  bluetooth: object({
    characteristicUUID: text,
    dataWrite: { type: 'object', additionalProperties: { ...text, format: 'byte' } },
    dataConverter: object({
      startIndex: int,
      endIndex: int,
      shiftLeft: int,
      shiftRight: int,
      orderOfOperations: list(
        object({
          operationType: oneOf('Add', 'Subtract', 'Multiply', 'Divide'),
          operationValue: { ...float, format: 'double' },
        }),
      ),
    }),
  }),
  customizedProtocol: customized,
})

const requirement = object({ key: text, operator: text, values: list(text) }, ['key', 'operator'])
const nodeSelector: CrdSchema = {
  ...object(
    { nodeSelectorTerms: list(object({ matchExpressions: list(requirement), matchFields: list(requirement) })) },
    ['nodeSelectorTerms'],
  ),
  'x-kubernetes-map-type': 'atomic',
}

const twinValue = object({ value: text, metadata: texts }, ['value'])
const twins = list(object({ propertyName: text, desired: twinValue, reported: twinValue }))

export const deviceV1alpha2: CrdVersion = {
  name: 'v1alpha2',
  schema: root('One physical device, in the form of KubeEdge before 1.15.', {
    spec: object({
      deviceModelRef: { ...object({ name: { ...text, default: '' } }), 'x-kubernetes-map-type': 'atomic' },
      protocol,
      propertyVisitors: list(propertyVisitor),
      data: object({
        dataProperties: list(object({ propertyName: text, metadata: texts })),
        dataTopic: text,
      }),
      nodeSelector,
    }),
    status: object({ twins }),
  }),
}

const accessMode = oneOf('ReadWrite', 'ReadOnly')

function numeric(value: CrdSchema): CrdSchema {
  return object({ accessMode, defaultValue: value, minimum: value, maximum: value, unit: text })
}

export const deviceModelV1alpha2: CrdVersion = {
  name: 'v1alpha2',
  schema: root('A type of device, in the form of KubeEdge before 1.15.', {
    spec: object({
      protocol: text,
      properties: list(
        object({
          name: text,
          description: text,
          type: object({
            int: numeric(int64),
            string: object({ accessMode, defaultValue: text }),
            double: numeric({ ...float, format: 'double' }),
            float: numeric({ ...float, format: 'float' }),
            boolean: object({ accessMode, defaultValue: flag }),
            bytes: object({ accessMode }),
          }),
        }),
      ),
    }),
  }),
}

/** KubeEdge 1.23 declares nothing but twins here, at the root; kept so, as nothing ever wrote it. */
export const deviceStatusV1alpha2: CrdVersion = {
  name: 'v1alpha2',
  schema: root('Not in use: see v1beta1.', { twins }),
}
