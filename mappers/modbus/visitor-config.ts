import { type Static, Type } from 'typebox'
import { configSchema } from '../contract/index.ts'
import { refinedSchema } from './refined-schema.ts'
import { parseAddress, TABLES, type Table } from './tables.ts'

export const DATA_TYPES = [
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
  'bcd16',
  'bcd32',
  'bool',
  'string',
] as const
export type DataType = (typeof DATA_TYPES)[number]

export const ORDERS = ['ABCD', 'BADC', 'CDAB', 'DCBA'] as const

/** What `visitors.configData` says. */
const RawVisitorConfig = Type.Object(
  {
    register: Type.Optional(
      Type.Union(
        TABLES.map((table) => Type.Literal(table)),
        { description: 'Table of the property. Required unless address is given.' },
      ),
    ),
    offset: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65535,
        description: 'Address of the first coil or register, counted from 0. Required unless address is given.',
      }),
    ),
    address: Type.Optional(
      Type.String({
        description:
          'In place of register and offset: table and number as manuals print them, counted from 1, with five or six digits in quotes, e.g. "40001".',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 125, description: 'How many registers. Default: what dataType takes.' }),
    ),
    dataType: Type.Optional(
      Type.Union([...DATA_TYPES.map((type) => Type.Literal(type)), Type.Literal('int'), Type.Literal('float')], {
        description: 'What the registers hold. int and float, as the default, follow the property type and the limit.',
      }),
    ),
    scale: Type.Number({ default: 1, description: 'The value is what the registers hold, times this.' }),
    order: Type.Optional(
      Type.Union(
        ORDERS.map((order) => Type.Literal(order)),
        {
          description:
            'Order of the bytes: ABCD most significant first, BADC bytes of each register exchanged, CDAB lowest register first, DCBA both. Default: ABCD, or what the next two say.',
        },
      ),
    ),
    isSwap: Type.Optional(
      Type.Boolean({ description: 'The two bytes of each register are exchanged. Default: false.' }),
    ),
    isRegisterSwap: Type.Optional(Type.Boolean({ description: 'The lowest register comes first. Default: false.' })),
    bit: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 15,
        description: 'The value is this bit of one register; 0 is the least significant.',
      }),
    ),
    bitCount: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 16, description: 'So many bits from bit on, as a number. Default: 1.' }),
    ),
    padding: Type.Union([Type.Literal('zero'), Type.Literal('space')], {
      default: 'zero',
      description: 'What fills a string behind its text: zero bytes, or spaces.',
    }),
    encoding: Type.Union([Type.Literal('utf8'), Type.Literal('latin1')], {
      default: 'utf8',
      description: 'Encoding of a string.',
    }),
  },
  { title: 'modbus visitor', description: 'How a property of a Modbus device is reached.' },
)
type Raw = Static<typeof RawVisitorConfig>

/** Where one property is, and how its registers are read. */
export interface VisitorConfig {
  readonly register: Table
  readonly offset: number
  readonly limit?: number
  readonly dataType?: DataType | 'int' | 'float'
  readonly scale: number
  readonly isSwap: boolean
  readonly isRegisterSwap: boolean
  /** Only part of one register. */
  readonly bits?: { readonly first: number; readonly count: number }
  readonly padding: 'zero' | 'space'
  readonly encoding: 'utf8' | 'latin1'
}

const ALIASES = {
  register: ['registerType', 'table'],
  offset: ['registerAddress'],
  limit: ['quantity'],
  order: ['byteOrder', 'wordOrder'],
}

const schema = configSchema(RawVisitorConfig, {
  aliases: ALIASES,
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
    order: Object.fromEntries(ORDERS.map((order) => [order.toLowerCase(), order])),
    encoding: { 'utf-8': 'utf8', 'iso-8859-1': 'latin1', ascii: 'utf8' },
  },
})

export const visitorConfig = refinedSchema(schema, ALIASES, refine)

function refine(raw: Raw, issue: (key: string, message: string) => void): VisitorConfig {
  const { address, register, offset, order, isSwap, isRegisterSwap, bit, bitCount = 1, ...rest } = raw
  const place = address === undefined ? { register, offset } : placeOf(raw, address, issue)
  if (address === undefined && register === undefined) issue('register', 'is required')
  if (address === undefined && offset === undefined) issue('offset', 'is required')
  if (order !== undefined && (isSwap !== undefined || isRegisterSwap !== undefined)) {
    issue('order', 'says what isSwap and isRegisterSwap say: give one or the other')
  }
  if (bit === undefined && raw.bitCount !== undefined) issue('bitCount', 'needs bit, the first of them')
  if (bit !== undefined && bit + bitCount > 16) issue('bitCount', `must be at most ${16 - bit}: a register has 16 bits`)
  return {
    ...withoutUndefined(rest),
    register: place.register ?? 'HoldingRegister',
    offset: place.offset ?? 0,
    isSwap: order === undefined ? isSwap === true : order === 'BADC' || order === 'DCBA',
    isRegisterSwap: order === undefined ? isRegisterSwap === true : order === 'CDAB' || order === 'DCBA',
    ...(bit === undefined ? {} : { bits: Object.freeze({ first: bit, count: bitCount }) }),
  }
}

function placeOf(raw: Raw, address: string, issue: (key: string, message: string) => void) {
  const place = parseAddress(address)
  if (!place) {
    issue('address', 'must have five or six digits in quotes, the first one 0, 1, 3 or 4, and count from 1: "40001"')
  }
  if (raw.register !== undefined || raw.offset !== undefined) {
    issue('address', 'says what register and offset say: give one or the other')
  }
  return place ?? { register: undefined, offset: undefined }
}

/** Keys that were not given are absent. */
function withoutUndefined<T extends object>(value: T): T {
  const given = { ...value }
  for (const [key, each] of Object.entries(given)) if (each === undefined) Reflect.deleteProperty(given, key)
  return given
}
