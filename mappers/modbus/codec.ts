import type { Property, PropertyValue } from '../contract/index.ts'
import type { DataType, VisitorConfig } from './config.ts'

/** How many registers (or bits) a property takes and what they hold. */
export interface Layout {
  readonly dataType: DataType | 'bytes'
  /** Registers of 16 bits, or single bits in the two bit tables. */
  readonly length: number
}

export type Layouted = { readonly ok: true; readonly layout: Layout } | { readonly ok: false; readonly reason: string }

const REGISTERS: Readonly<Record<Exclude<Layout['dataType'], 'string' | 'bytes'>, number>> = {
  bool: 1,
  int16: 1,
  uint16: 1,
  int32: 2,
  uint32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
}

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
}

export function isBitTable(visitor: Pick<VisitorConfig, 'register'>): boolean {
  return visitor.register === 'CoilRegister' || visitor.register === 'DiscreteInputRegister'
}

/** The layout of a property, or why there is none. */
export function layoutOf(property: Property, visitor: VisitorConfig): Layouted {
  if (property.type === 'STREAM') return { ok: false, reason: 'a STREAM cannot be read from Modbus' }
  const dataType = dataTypeOf(property, visitor)
  if (isBitTable(visitor)) {
    if (dataType !== 'bool') return { ok: false, reason: `${visitor.register} holds bits, not ${dataType}` }
    return fits(visitor, { dataType, length: 1 })
  }
  const length = dataType === 'string' || dataType === 'bytes' ? (visitor.limit ?? 1) : REGISTERS[dataType]
  if (visitor.limit !== undefined && visitor.limit !== length) {
    return { ok: false, reason: `limit is ${visitor.limit}, but ${dataType} takes ${length} registers` }
  }
  if (visitor.scale === 0) return { ok: false, reason: 'scale must not be 0' }
  return fits(visitor, { dataType, length })
}

/** Registers, as read, to a value. */
export function decode(words: readonly number[], layout: Layout, visitor: VisitorConfig): PropertyValue {
  const bytes = toBytes(words, visitor)
  const view = new DataView(bytes.buffer)
  switch (layout.dataType) {
    case 'bool':
      return words.some((word) => word !== 0)
    case 'string':
      return decodeText(bytes)
    case 'bytes':
      return bytes
    case 'int16':
      return scaled(view.getInt16(0), visitor.scale)
    case 'uint16':
      return scaled(view.getUint16(0), visitor.scale)
    case 'int32':
      return scaled(view.getInt32(0), visitor.scale)
    case 'uint32':
      return scaled(view.getUint32(0), visitor.scale)
    case 'int64':
      return scaledBig(view.getBigInt64(0), visitor.scale)
    case 'uint64':
      return scaledBig(view.getBigUint64(0), visitor.scale)
    case 'float32':
      return scaledFloat(view.getFloat32(0), visitor.scale)
    case 'float64':
      return scaledFloat(view.getFloat64(0), visitor.scale)
  }
}

/** A value to the registers that hold it. Throws when they cannot. */
export function encode(value: PropertyValue, layout: Layout, visitor: VisitorConfig): readonly number[] {
  const bytes = new Uint8Array(layout.length * 2)
  const view = new DataView(bytes.buffer)
  switch (layout.dataType) {
    case 'bool':
      view.setUint16(0, value === true || value === 'true' || Number(value) === 1 ? 1 : 0)
      break
    case 'string':
      encodeText(bytes, value)
      break
    case 'bytes':
      encodeBytes(bytes, value)
      break
    case 'float32':
      view.setFloat32(0, unscaledFloat(value, visitor.scale))
      break
    case 'float64':
      view.setFloat64(0, unscaledFloat(value, visitor.scale))
      break
    default:
      setInteger(view, layout.dataType, unscaled(value, visitor.scale))
  }
  return toWords(bytes, visitor)
}

function dataTypeOf(property: Property, visitor: VisitorConfig): Layout['dataType'] {
  const { dataType } = visitor
  // Text would end at the first zero, and what is no text would be replaced.
  if (property.type === 'BYTES' && !isBitTable(visitor) && (dataType ?? 'string') === 'string') return 'bytes'
  if (dataType === 'int' || (dataType === undefined && property.type === 'INT')) return integerOf(visitor.limit)
  if (dataType === 'float') return floatOf(visitor.limit ?? 2)
  if (dataType !== undefined) return dataType
  if (isBitTable(visitor) || property.type === 'BOOLEAN') return 'bool'
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

function fits(visitor: VisitorConfig, layout: Layout): Layouted {
  if (visitor.offset + layout.length <= 65536) return { ok: true, layout }
  return { ok: false, reason: `offset ${visitor.offset} leaves no room for ${layout.length} registers` }
}

/** Most significant byte first, whatever the device's order is. */
function toBytes(words: readonly number[], visitor: VisitorConfig): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(words.length * 2)
  const ordered = visitor.isRegisterSwap ? words.toReversed() : words
  for (const [index, word] of ordered.entries()) {
    const high = word >> 8
    const low = word & 0xff
    bytes[index * 2] = visitor.isSwap ? low : high
    bytes[index * 2 + 1] = visitor.isSwap ? high : low
  }
  return bytes
}

function toWords(bytes: Uint8Array, visitor: VisitorConfig): readonly number[] {
  const words: number[] = []
  for (let index = 0; index < bytes.length; index += 2) {
    const first = bytes[index] ?? 0
    const second = bytes[index + 1] ?? 0
    words.push(visitor.isSwap ? (second << 8) | first : (first << 8) | second)
  }
  return visitor.isRegisterSwap ? words.reverse() : words
}

/** 123 times 0.1 is 12.3, not 12.300000000000001: doubles carry 15 digits that a person can mean. */
function tidy(value: number): number {
  return Number(value.toPrecision(15))
}

function scaled(raw: number, scale: number): number {
  return scale === 1 ? raw : tidy(raw * scale)
}

function scaledFloat(raw: number, scale: number): number {
  return scale === 1 ? raw : raw * scale
}

function scaledBig(raw: bigint, scale: number): number | bigint {
  if (scale === 1) return Number.isSafeInteger(Number(raw)) ? Number(raw) : raw
  return tidy(Number(raw) * scale)
}

function unscaled(value: PropertyValue, scale: number): bigint {
  if (typeof value === 'bigint' && scale === 1) return value
  const wanted = numberOf(value) / scale
  const raw = Math.round(wanted)
  if (!Number.isFinite(wanted) || Math.abs(wanted - raw) > 1e-6 * Math.max(1, Math.abs(raw))) {
    throw new RangeError(`${value} is not a multiple of the scale ${scale}`)
  }
  return BigInt(raw)
}

function unscaledFloat(value: PropertyValue, scale: number): number {
  return scale === 1 ? numberOf(value) : numberOf(value) / scale
}

function numberOf(value: PropertyValue): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
  if (Number.isNaN(number)) throw new TypeError(`${String(value)} is not a number`)
  return number
}

function setInteger(view: DataView, dataType: Layout['dataType'], raw: bigint): void {
  const [low, high] = RANGES[dataType] ?? [0n, 0n]
  if (raw < low || raw > high) throw new RangeError(`${raw} does not fit into ${dataType}`)
  if (view.byteLength === 2) view.setUint16(0, Number(BigInt.asUintN(16, raw)))
  else if (view.byteLength === 4) view.setUint32(0, Number(BigInt.asUintN(32, raw)))
  else view.setBigUint64(0, BigInt.asUintN(64, raw))
}

function decodeText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

function encodeText(bytes: Uint8Array, value: PropertyValue): void {
  const text = value instanceof Uint8Array ? value : new TextEncoder().encode(String(value))
  if (text.length > bytes.length)
    throw new RangeError(`the text takes ${text.length} bytes, there is room for ${bytes.length}`)
  bytes.set(text)
}

/** As many as the registers hold: fewer would be read back as others. */
function encodeBytes(bytes: Uint8Array, value: PropertyValue): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${String(value)} is no bytes`)
  if (value.length !== bytes.length) throw new RangeError(`${value.length} bytes do not fill ${bytes.length} bytes`)
  bytes.set(value)
}
