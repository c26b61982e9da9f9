import { DataType, type Variant, VariantArrayType } from 'node-opcua-client'
import type { PropertyType, PropertyValue } from '../../contract/index.ts'
import { isOneElement, refuseWhole } from './index-range.ts'

/** What a server sent as a value of a property. Throws where it can be none. Arrays and structures become JSON text. */
export function fromVariant(variant: Variant, type: PropertyType, indexRange?: string): PropertyValue {
  const content: unknown = variant.value
  if (content === null || content === undefined || variant.dataType === DataType.Null) {
    throw new Error('the server has no value (null)')
  }
  if (indexRange !== undefined) refuseWhole(variant, indexRange)
  if (variant.arrayType !== VariantArrayType.Scalar) {
    const [only] = isOneElement(indexRange) && isIterable(content) ? content : []
    if (only !== undefined) return scalarOf(variant.dataType, only)
    // An array of Byte is how many servers hold bytes.
    if (type === 'BYTES' && content instanceof Uint8Array) return new Uint8Array(content)
    return JSON.stringify(arrayOf(variant.dataType, content, variant.dimensions))
  }
  return scalarOf(variant.dataType, content)
}

function scalarOf(dataType: DataType, content: unknown): PropertyValue {
  switch (dataType) {
    case DataType.Int64:
      return BigInt.asIntN(64, wide(content))
    case DataType.UInt64:
      return wide(content)
    case DataType.ByteString:
      if (content instanceof Uint8Array) return new Uint8Array(content)
      throw unreadable(dataType)
    case DataType.ExtensionObject:
      return JSON.stringify(structureOf(content))
    default: {
      const json = elementOf(dataType, content)
      if (typeof json === 'string' || typeof json === 'number' || typeof json === 'boolean') return json
      return JSON.stringify(json)
    }
  }
}

/** As JSON holds it, in the way of OPC UA part 6, 5.4: integers of 64 bits are texts, bytes are base64. */
function elementOf(dataType: DataType, content: unknown): unknown {
  if (content === null || content === undefined) return null
  switch (dataType) {
    case DataType.Int64:
      return BigInt.asIntN(64, wide(content)).toString()
    case DataType.UInt64:
      return wide(content).toString()
    case DataType.DateTime:
      return content instanceof Date ? content.toISOString() : String(content)
    case DataType.ByteString:
      return content instanceof Uint8Array ? Buffer.from(content).toString('base64') : null
    case DataType.LocalizedText:
      return textOf(content, 'text')
    case DataType.QualifiedName:
    case DataType.StatusCode:
      return textOf(content, 'name')
    case DataType.NodeId:
    case DataType.ExpandedNodeId:
    case DataType.Guid:
      return String(content)
    case DataType.ExtensionObject:
      return structureOf(content)
    case DataType.Variant:
    case DataType.DataValue:
    case DataType.DiagnosticInfo:
      return plain(content)
    default:
      return content
  }
}

function arrayOf(dataType: DataType, content: unknown, dimensions: readonly number[] | null): unknown {
  if (!isIterable(content)) throw unreadable(dataType)
  const flat = Array.from(content, (element) => elementOf(dataType, element))
  return dimensions && dimensions.length > 1 ? nested(flat, dimensions) : flat
}

function nested(flat: readonly unknown[], [first, ...rest]: readonly number[]): unknown {
  if (first === undefined || rest.length === 0) return flat
  const size = rest.reduce((product, length) => product * length, 1)
  return Array.from({ length: first }, (_, at) => nested(flat.slice(at * size, (at + 1) * size), rest))
}

/** The library gives integers of 64 bits as two halves, the high one first. */
function wide(content: unknown): bigint {
  if (typeof content === 'bigint' || typeof content === 'number') return BigInt.asUintN(64, BigInt(content))
  if (Array.isArray(content)) {
    const [high, low]: readonly unknown[] = content
    if (typeof high === 'number' && typeof low === 'number') return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  }
  throw unreadable(DataType.Int64)
}

function structureOf(content: unknown): unknown {
  if (content === null || content === undefined) return null
  if (typeof content === 'object' && content.constructor.name === 'OpaqueStructure') {
    throw new Error('the server holds a structure of a type that it does not describe')
  }
  return plain(content)
}

function plain(content: unknown): unknown {
  if (content === null || content === undefined) return null
  if (Array.isArray(content)) return content.map(plain)
  const fields = fieldsOf(content)
  if (fields) {
    const told = Object.entries(content).map(([key, value]) => [key, fieldValue(fields, key, value)])
    return Object.fromEntries(told)
  }
  const json: unknown = JSON.parse(
    JSON.stringify(content, (_key, value: unknown) => {
      if (typeof value === 'bigint') return value.toString()
      return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
    }),
  )
  return json
}

/** Of the schema of a structure, which alone tells an integer of 64 bits from an array of two. */
function fieldsOf(content: unknown): readonly unknown[] | undefined {
  const fields: unknown = Reflect.get(Object(Reflect.get(Object(content), 'schema')), 'fields')
  return Array.isArray(fields) ? fields : undefined
}

function fieldValue(fields: readonly unknown[], key: string, value: unknown): unknown {
  const field = fields.find((each) => Reflect.get(Object(each), 'name') === key)
  const name: unknown = Reflect.get(Object(field), 'fieldType')
  const type = name === 'Int64' ? DataType.Int64 : name === 'UInt64' ? DataType.UInt64 : undefined
  if (type === undefined) return plain(value)
  return isPair(value) ? elementOf(type, value) : listOf(value, type)
}

function isPair(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((half) => typeof half === 'number')
}

function listOf(value: unknown, type: DataType): unknown {
  return Array.isArray(value) ? value.map((each: unknown) => elementOf(type, each)) : value
}

function textOf(content: unknown, key: 'text' | 'name'): string {
  if (typeof content !== 'object' || content === null) return String(content)
  if (key === 'text' && 'text' in content) return String(content.text ?? '')
  return 'name' in content ? String(content.name ?? '') : String(content)
}

function isIterable(content: unknown): content is Iterable<unknown> {
  return typeof content === 'object' && content !== null && Symbol.iterator in content
}

function unreadable(dataType: DataType): Error {
  return new Error(`the server sent a ${DataType[dataType]} that cannot be read`)
}
