import { coerceNodeId, DataType, VariantArrayType, type VariantOptions } from 'node-opcua-client'
import type { PropertyValue } from '../../contract/index.ts'

/** What a node takes. */
export interface ValueType {
  /** Built-in. */
  readonly dataType: DataType
  readonly isArray: boolean
}

/** A value as the server wants it. Throws where it does not fit; the message is for the person who wrote it. */
export function toVariant(value: PropertyValue, type: ValueType): VariantOptions {
  const { dataType, isArray } = type
  if (!isArray) return { dataType, arrayType: VariantArrayType.Scalar, value: elementOf(value, dataType) }
  if (dataType === DataType.Byte && value instanceof Uint8Array) {
    return { dataType, arrayType: VariantArrayType.Array, value: Uint8Array.from(value) }
  }
  return {
    dataType,
    arrayType: VariantArrayType.Array,
    value: parseArray(value).map((one) => elementOf(one, dataType)),
  }
}

function elementOf(value: PropertyValue, dataType: DataType): unknown {
  const range = RANGES.get(dataType)
  if (range) return integer(value, dataType, range)
  switch (dataType) {
    case DataType.Boolean:
      return boolean(value)
    case DataType.Float:
    case DataType.Double:
      return decimal(value, dataType)
    case DataType.Int64:
    case DataType.UInt64:
      return halves(wideInteger(value, dataType))
    case DataType.String:
    case DataType.XmlElement:
      return text(value)
    case DataType.LocalizedText:
      return { text: text(value) }
    case DataType.QualifiedName:
      return { name: text(value), namespaceIndex: 0 }
    case DataType.Guid:
      return matching(text(value), /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'is no GUID')
    case DataType.NodeId:
      return coerceNodeId(text(value))
    case DataType.DateTime:
      return date(value)
    case DataType.ByteString:
      return bytes(value)
    default:
      throw new Error(`the server wants a ${DataType[dataType]}, which a property cannot hold`)
  }
}

const RANGES: ReadonlyMap<DataType, readonly [number, number]> = new Map([
  [DataType.SByte, [-128, 127]],
  [DataType.Byte, [0, 255]],
  [DataType.Int16, [-32_768, 32_767]],
  [DataType.UInt16, [0, 65_535]],
  [DataType.Int32, [-2_147_483_648, 2_147_483_647]],
  [DataType.UInt32, [0, 4_294_967_295]],
])

function integer(value: PropertyValue, dataType: DataType, [least, most]: readonly [number, number]): number {
  const number = Number(wideNumber(value, dataType))
  if (number < least || number > most) {
    throw new Error(`${number} does not fit the ${DataType[dataType]} of the server: ${least} to ${most}`)
  }
  return number
}

function wideInteger(value: PropertyValue, dataType: DataType): bigint {
  const number = wideNumber(value, dataType)
  const fits =
    dataType === DataType.Int64 ? BigInt.asIntN(64, number) === number : BigInt.asUintN(64, number) === number
  if (!fits) throw new Error(`${number} does not fit the ${DataType[dataType]} of the server`)
  return number
}

/** Exact: a number with digits behind the point is refused rather than cut. */
function wideNumber(value: PropertyValue, dataType: DataType): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  const number = typeof value === 'number' ? value : text(value).trim()
  const isWhole = typeof number === 'number' ? Number.isInteger(number) : /^[+-]?\d+$/.test(number)
  if (!isWhole) throw new Error(`${number} is no integer, but the server wants a ${DataType[dataType]}`)
  return BigInt(number)
}

function halves(number: bigint): readonly [number, number] {
  const unsigned = BigInt.asUintN(64, number)
  return [Number(unsigned >> 32n), Number(unsigned & 0xffff_ffffn)]
}

function decimal(value: PropertyValue, dataType: DataType): number {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(text(value))
  if (Number.isNaN(number))
    throw new Error(`"${text(value)}" is no number, but the server wants a ${DataType[dataType]}`)
  if (dataType === DataType.Float && Number.isFinite(number) && !Number.isFinite(Math.fround(number))) {
    throw new Error(`${number} does not fit the Float of the server`)
  }
  return number
}

function boolean(value: PropertyValue): boolean {
  if (typeof value === 'boolean') return value
  const said = text(value).trim().toLowerCase()
  if (['true', '1', 'on', 'yes'].includes(said)) return true
  if (['false', '0', 'off', 'no'].includes(said)) return false
  throw new Error(`"${said}" is neither true nor false, but the server wants a Boolean`)
}

function date(value: PropertyValue): Date {
  const found = typeof value === 'number' || typeof value === 'bigint' ? new Date(Number(value)) : new Date(text(value))
  if (Number.isNaN(found.getTime())) throw new Error(`"${text(value)}" is no time such as 2030-01-31T08:00:00Z`)
  return found
}

/** Bytes, or base64 of them. */
function bytes(value: PropertyValue): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value)
  const decoded = Buffer.from(text(value), 'base64')
  if (decoded.toString('base64').replace(/=+$/, '') !== text(value).replace(/=+$/, '')) {
    throw new Error('the server wants bytes: give base64 of them')
  }
  return decoded
}

function parseArray(value: PropertyValue): readonly PropertyValue[] {
  const wanted = new Error('the server wants an array: give it as JSON, e.g. [1, 2, 3]')
  let parsed: unknown
  try {
    parsed = JSON.parse(text(value))
  } catch (cause) {
    throw new Error(wanted.message, { cause })
  }
  if (!Array.isArray(parsed)) throw wanted
  return parsed.map((one: unknown) => {
    if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean') return one
    throw new Error('the server wants an array of plain values: no arrays or objects in it')
  })
}

function matching(value: string, pattern: RegExp, complaint: string): string {
  if (pattern.test(value)) return value
  throw new Error(`"${value}" ${complaint}`)
}

function text(value: PropertyValue): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value) : String(value)
}
