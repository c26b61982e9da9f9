import type { CrdVersion } from './definition.ts'
import {
  anything,
  type CrdSchema,
  described,
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

const UNUSED = 'Kept, and of no effect in Skerry.'
const DRIVER = 'Of the former mappers. Kept, and of no effect in Skerry.'

const customized = object({
  protocolName: described('Protocol; selects the mapper.', text),
  configData: described('What the mapper of the protocol needs to know.', anything),
})

const opcua = object({
  url: described('URL of the server, such as opc.tcp://127.0.0.1:4840.', text),
  userName: described('Whom to log in as.', text),
  password: described(
    'Not taken over: put it into a file on the node, and name that as passwordFile in v1beta1.',
    text,
  ),
  securityPolicy: described('How messages are secured. Default: None.', text),
  securityMode: described('Whether messages are signed, or signed and encrypted. Default: None.', text),
  certificate: described('Path of the certificate of the client on the node, from / on.', text),
  privateKey: described('Path of its key on the node, from / on.', text),
  timeout: described('How long to wait for the server, in the unit of the mapper.', int64),
})

const com = object({
  serialPort: described('Path of the serial port on the node, such as /dev/ttyS0.', text),
  baudRate: described('Bits a second.', {
    ...oneOf(115200, 57600, 38400, 19200, 9600, 4800, 2400, 1800, 1200, 600, 300, 200, 150, 134, 110, 75, 50),
    format: 'int64',
  }),
  dataBits: described('Bits of a character.', { ...oneOf(8, 7, 6, 5), format: 'int64' }),
  parity: described('Parity bit of a character.', oneOf('none', 'even', 'odd')),
  stopBits: described('Stop bits of a character.', { ...oneOf(1, 2), format: 'int64' }),
})

const tcp = object({ ip: described('Address of the device.', text), port: described('TCP port of the device.', int64) })

const common = object({
  com: described('The serial line that the device is on; for Modbus this means RTU.', com),
  tcp: described('The TCP address of the device; for Modbus this means TCP.', tcp),
  commType: described(`Kind of the connection. ${UNUSED}`, text),
  reconnTimeout: described(`How long to wait between attempts to connect. ${UNUSED}`, int64),
  reconnRetryTimes: described(`How often to try to connect. ${UNUSED}`, int64),
  collectTimeout: described(`How long a reading may take. ${UNUSED}`, int64),
  collectRetryTimes: described(`How often to try to read. ${UNUSED}`, int64),
  collectType: described(`Whether readings wait for each other. ${UNUSED}`, oneOf('sync', 'async')),
  customizedValues: described('More of what the mapper needs to know; any keys.', anything),
})

const protocol = object({
  opcua: described('An OPC UA server.', opcua),
  modbus: described(
    'A Modbus device.',
    object({ slaveID: described('Unit identifier of the device.', { ...int64, minimum: 0, maximum: 255 }) }),
  ),
  bluetooth: described(
    'A Bluetooth device.',
    object({ macAddress: described('Address of the device, such as A4:C1:38:1A:49:90.', text) }),
  ),
  common: described('The line or connection, for every protocol.', common),
  customizedProtocol: described('Any other protocol.', customized),
})

const modbusVisitor = object({
  register: described(
    'Table of the register.',
    oneOf('CoilRegister', 'DiscreteInputRegister', 'InputRegister', 'HoldingRegister'),
  ),
  offset: described('Address of the first register, from 0 on.', int64),
  limit: described('How many registers the value takes.', int64),
  scale: described('What the number on the device is multiplied by.', { ...float, format: 'double' }),
  isSwap: described('Whether the bytes within each register are swapped.', flag),
  isRegisterSwap: described('Whether the order of the registers is reversed.', flag),
})

const dataConverter = object({
  startIndex: described('First byte of the value.', int),
  endIndex: described('Last byte of the value.', int),
  shiftLeft: described('By how many bits it is shifted to the left.', int),
  shiftRight: described('By how many bits it is shifted to the right.', int),
  orderOfOperations: described(
    'What is done with the number, step by step.',
    list(
      object({
        operationType: described('What is done.', oneOf('Add', 'Subtract', 'Multiply', 'Divide')),
        operationValue: described('With which number.', { ...float, format: 'double' }),
      }),
    ),
  ),
})

const bluetoothVisitor = object({
  characteristicUUID: described('UUID of the GATT characteristic.', text),
  dataWrite: described('What is written for each value, as bytes in base64.', {
    type: 'object',
    additionalProperties: { ...text, format: 'byte' },
  }),
  dataConverter: described('How bytes that were read become a number.', dataConverter),
})

const propertyVisitor = object({
  propertyName: described('Name of the property, as in the DeviceModel.', text),
  reportCycle: described('How often an unchanged value is reported, in ns; less than 1,000,000 means ms.', int64),
  collectCycle: described('How often the device is read, in ns; less than 1,000,000 means ms.', int64),
  customizedValues: described('More of what the mapper needs to know; any keys.', anything),
  opcua: described(
    'A node of an OPC UA server.',
    object({
      nodeID: described('Identifier of the node, such as ns=1;i=1005.', text),
      browseName: described('Name of the node, to look it up by where there is no nodeID.', text),
    }),
  ),
  modbus: described('Registers of a Modbus device.', modbusVisitor),
  bluetooth: described('A GATT characteristic. Such devices need a mapper of their own.', bluetoothVisitor),
  customizedProtocol: described('What the mapper of any other protocol needs to know.', customized),
})

const requirement = object(
  {
    key: described('Of no effect; mostly empty.', text),
    operator: described('In is the one that names a node.', text),
    values: described('The name of the node, as the only value.', list(text)),
  },
  ['key', 'operator'],
)
const nodeSelector: CrdSchema = {
  ...object(
    {
      nodeSelectorTerms: described(
        'The node that serves the device: together they have to hold one expression with one value.',
        list(
          object({
            matchExpressions: described('What names the node.', list(requirement)),
            matchFields: described('The same as matchExpressions.', list(requirement)),
          }),
        ),
      ),
    },
    ['nodeSelectorTerms'],
  ),
  'x-kubernetes-map-type': 'atomic',
}

const twinValue = object(
  {
    value: described('The value as text, whatever its type.', text),
    metadata: described('What else is known of it, such as its type and time.', texts),
  },
  ['value'],
)
const twins = described(
  'What is wanted and known of each property.',
  list(
    object({
      propertyName: described('Name of the property.', text),
      desired: described('What the property should be.', twinValue),
      reported: described('What the device said last.', twinValue),
    }),
  ),
)

const deviceData = object({
  dataProperties: described(
    'Properties whose values the former mappers sent as data. In Skerry properties like all others.',
    list(
      object({
        propertyName: described('Name of the property.', text),
        metadata: described('What else goes with each value.', texts),
      }),
    ),
  ),
  dataTopic: described(`MQTT topic for the data. ${DRIVER}`, text),
})

export const deviceV1alpha2: CrdVersion = {
  name: 'v1alpha2',
  schema: root('One physical device, in the form of KubeEdge before 1.15.', {
    spec: described(
      'What the device is and how to reach it.',
      object({
        deviceModelRef: described('The DeviceModel, in the same namespace.', {
          ...object({ name: described('Name of the DeviceModel.', { ...text, default: '' }) }),
          'x-kubernetes-map-type': 'atomic',
        }),
        protocol: described('How to reach the device: one protocol, and common.', protocol),
        propertyVisitors: described('How to reach each property.', list(propertyVisitor)),
        data: described('Values that the former mappers sent beside the twin.', deviceData),
        nodeSelector: described('Which node serves the device.', nodeSelector),
      }),
    ),
    status: described('Wanted and known values; in this version those wanted are written here.', object({ twins })),
  }),
}

const accessMode = described('Whether it can be written.', oneOf('ReadWrite', 'ReadOnly'))

function numeric(value: CrdSchema): CrdSchema {
  return object({
    accessMode,
    defaultValue: described(`The value where nobody wishes another. ${UNUSED}`, value),
    minimum: described('Smallest value.', value),
    maximum: described('Largest value.', value),
    unit: described('Unit of its values, for people.', text),
  })
}

function plain(value: CrdSchema): CrdSchema {
  return object({ accessMode, defaultValue: described(`The value where nobody wishes another. ${UNUSED}`, value) })
}

const propertyType = object({
  int: described('A whole number.', numeric(int64)),
  string: described('A text.', plain(text)),
  double: described('A number of 64 bits.', numeric({ ...float, format: 'double' })),
  float: described('A number of 32 bits.', numeric({ ...float, format: 'float' })),
  boolean: described('True or false.', plain(flag)),
  bytes: described('Bytes.', object({ accessMode })),
})

export const deviceModelV1alpha2: CrdVersion = {
  name: 'v1alpha2',
  schema: root('A type of device, in the form of KubeEdge before 1.15.', {
    spec: described(
      'What the devices have in common.',
      object({
        protocol: described('Protocol of devices that name none themselves.', text),
        properties: described(
          'The properties that devices of this model may have.',
          list(
            object({
              name: described('Name of the property; devices use the same.', text),
              description: described('What the property is, for people.', text),
              type: described('Type of its values: exactly one of these.', propertyType),
            }),
          ),
        ),
      }),
    ),
  }),
}

/** KubeEdge 1.23 declares nothing but twins here, at the root; kept so, as nothing ever wrote it. */
export const deviceStatusV1alpha2: CrdVersion = {
  name: 'v1alpha2',
  schema: root('Not in use: see v1beta1.', { twins }),
}
