import type { Property } from '../contract/index.ts'
import { isBitTable, isReadOnlyTable } from './tables.ts'
import type { DataType, VisitorConfig } from './visitor-config.ts'

/** How many registers (or bits) a property takes and what they hold. */
export interface Layout {
  readonly dataType: DataType | 'bytes' | 'bits'
  /** Registers of 16 bits, or single bits in the two bit tables. */
  readonly length: number
}

export type Layouted = { readonly ok: true; readonly layout: Layout } | { readonly ok: false; readonly reason: string }

const REGISTERS: Readonly<Record<Exclude<Layout['dataType'], 'string' | 'bytes'>, number>> = {
  bool: 1,
  bits: 1,
  int16: 1,
  uint16: 1,
  bcd16: 1,
  int32: 2,
  uint32: 2,
  bcd32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
}

/** The layout of a property, or why there is none. */
export function layoutOf(property: Property, visitor: VisitorConfig): Layouted {
  if (property.type === 'STREAM') return no('a STREAM cannot be read from Modbus')
  if (visitor.bits) return bitsLayout(property, visitor)
  const dataType = dataTypeOf(property, visitor)
  if (isBitTable(visitor.register)) {
    if (dataType !== 'bool') return no(`${visitor.register} holds bits, not ${dataType}`)
    return lengthFits(visitor, { dataType, length: 1 })
  }
  const length = dataType === 'string' || dataType === 'bytes' ? (visitor.limit ?? 1) : REGISTERS[dataType]
  if (visitor.scale === 0) return no('scale must not be 0')
  return lengthFits(visitor, { dataType, length })
}

/** Why this property can never be visited this way, or nothing. */
export function rejection(property: Property, visitor: VisitorConfig): string | undefined {
  const found = layoutOf(property, visitor)
  return found.ok ? undefined : found.reason
}

/** Why the property can never be written, or nothing. */
export function writeRejection(visitor: VisitorConfig): string | undefined {
  return isReadOnlyTable(visitor.register) ? `${visitor.register} cannot be written` : undefined
}

function bitsLayout(property: Property, { register, dataType, limit, scale, bits }: VisitorConfig): Layouted {
  if (isBitTable(register)) return no(`bit is a bit of a register, but ${register} holds single bits`)
  if (dataType !== undefined && !['bool', 'uint16', 'int'].includes(dataType)) {
    return no(`bit takes bits out of one register: dataType must be bool or uint16, not ${dataType}`)
  }
  if ((limit ?? 1) !== 1) return no('bit takes bits out of one register: limit must be 1')
  if (scale !== 1) return no('bit and scale exclude each other')
  if (property.type === 'STRING' || property.type === 'BYTES') return no(`a ${property.type} is not made of bits`)
  if (property.type === 'BOOLEAN' && bits?.count !== 1) return no('a BOOLEAN is one bit: leave bitCount out')
  // Every offset that the schema admits has room for one register.
  return { ok: true, layout: { dataType: 'bits', length: 1 } }
}

function dataTypeOf(property: Property, visitor: VisitorConfig): Exclude<Layout['dataType'], 'bits'> {
  const { dataType } = visitor
  const isBit = isBitTable(visitor.register)
  // Text would end at the first zero, and what is no text would be replaced.
  if (property.type === 'BYTES' && !isBit && (dataType ?? 'string') === 'string') return 'bytes'
  if (dataType === 'int' || (dataType === undefined && property.type === 'INT')) return integerOf(visitor.limit)
  if (dataType === 'float') return floatOf(visitor.limit ?? 2)
  if (dataType !== undefined) return dataType
  if (isBit || property.type === 'BOOLEAN') return 'bool'
  if (property.type === 'FLOAT') return floatOf(visitor.limit ?? 2)
  if (property.type === 'DOUBLE') return floatOf(visitor.limit ?? 4)
  return 'string'
}

function integerOf(limit = 1): DataType {
  if (limit >= 4) return 'int64'
  return limit >= 2 ? 'int32' : 'int16'
}

/** A decimal in a single register is a scaled integer. */
function floatOf(limit: number): DataType {
  if (limit >= 4) return 'float64'
  return limit >= 2 ? 'float32' : 'int16'
}

function lengthFits({ register, limit, offset }: VisitorConfig, layout: Layout): Layouted {
  const { dataType, length } = layout
  const what = `${length} ${isBitTable(register) ? 'bit' : 'register'}${length === 1 ? '' : 's'}`
  if (limit !== undefined && limit !== length) return no(`limit is ${limit}, but ${dataType} takes ${what}`)
  if (offset + length > 65_536) return no(`offset ${offset} leaves no room for ${what}`)
  return { ok: true, layout }
}

function no(reason: string): Layouted {
  return { ok: false, reason }
}
