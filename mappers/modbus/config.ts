import { type Static, Type } from 'typebox'
import { configSchema } from '../contract/index.ts'

/** One Modbus TCP server, and one unit behind it. */
export const DeviceConfig = Type.Object(
  {
    host: Type.String({ minLength: 1, description: 'Name or IP address of the Modbus TCP server.' }),
    port: Type.Integer({ default: 502, minimum: 1, maximum: 65535, description: 'TCP port.' }),
    unitId: Type.Integer({ default: 1, minimum: 0, maximum: 255, description: 'Unit (slave) behind the server.' }),
    timeout: Type.Integer({
      default: 2000,
      minimum: 20,
      maximum: 60_000,
      description: 'Milliseconds within which the device has to answer; after them it is offline.',
    }),
    mode: Type.Literal('TCP', { default: 'TCP', description: 'Transport.' }),
  },
  { title: 'modbus device', description: 'How a Modbus device is reached.' },
)
export type DeviceConfig = Static<typeof DeviceConfig>

export const TABLES = ['CoilRegister', 'DiscreteInputRegister', 'InputRegister', 'HoldingRegister'] as const
export type Table = (typeof TABLES)[number]

export const DATA_TYPES = [
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
  'bool',
  'string',
] as const
export type DataType = (typeof DATA_TYPES)[number]

/** Where one property is, and how its registers are read. */
export const VisitorConfig = Type.Object(
  {
    register: Type.Union(
      TABLES.map((table) => Type.Literal(table)),
      { description: 'Table of the property.' },
    ),
    offset: Type.Integer({
      minimum: 0,
      maximum: 65535,
      description: 'Address of the first coil or register, counted from 0.',
    }),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 125, description: 'How many registers. Default: what dataType takes.' }),
    ),
    dataType: Type.Optional(
      Type.Union([...DATA_TYPES.map((type) => Type.Literal(type)), Type.Literal('int'), Type.Literal('float')], {
        description: 'What the registers hold. int and float, as the default, follow the property type and the limit.',
      }),
    ),
    scale: Type.Number({ default: 1, description: 'The value is what the registers hold, times this.' }),
    isSwap: Type.Boolean({ default: false, description: 'The two bytes of each register are exchanged.' }),
    isRegisterSwap: Type.Boolean({ default: false, description: 'The lowest register comes first.' }),
  },
  { title: 'modbus visitor', description: 'How a property of a Modbus device is reached.' },
)
export type VisitorConfig = Static<typeof VisitorConfig>

export const deviceConfig = configSchema(DeviceConfig, {
  aliases: {
    host: ['ip', 'address', 'hostname'],
    unitId: ['slaveID', 'unit', 'deviceID'],
    timeout: ['collectTimeout'],
    mode: ['communicateMode', 'commType'],
  },
  values: { mode: { tcp: 'TCP', rtu: 'RTU' } },
})

export const visitorConfig = configSchema(VisitorConfig, {
  aliases: { register: ['registerType', 'table'], offset: ['registerAddress'], limit: ['quantity'] },
  values: {
    register: {
      coilregister: 'CoilRegister',
      coil: 'CoilRegister',
      discreteinputregister: 'DiscreteInputRegister',
      discreteinput: 'DiscreteInputRegister',
      inputregister: 'InputRegister',
      input: 'InputRegister',
      holdingregister: 'HoldingRegister',
      holding: 'HoldingRegister',
    },
    dataType: {
      short: 'int16',
      word: 'uint16',
      double: 'float64',
      boolean: 'bool',
      ...Object.fromEntries([...DATA_TYPES, 'int', 'float'].map((type) => [type, type])),
    },
  },
})
