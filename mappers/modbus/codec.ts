import type { PropertyValue } from '../contract/index.ts'
import type { Layout } from './layout.ts'
import { numberOf, scaled, scaledBig, scaledFloat, unscaled, unscaledFloat } from './numbers.ts'
import { decodeText, encodeBytes, encodeText } from './text.ts'
import type { VisitorConfig } from './visitor-config.ts'
import { swapped, toBytes, toWords } from './word-order.ts'

/** Bits of one register to be changed, as the register lies in the device. */
export interface BitChange {
  readonly mask: number
  readonly bits: number
}

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int16: [-(2n ** 15n), 2n ** 15n - 1n],
  uint16: [0n, 2n ** 16n - 1n],
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  bcd16: [0n, 9_999n],
  bcd32: [0n, 99_999_999n],
}

/** The value of a property in a block of registers that begins with its own at `first`. Throws as `decode`. */
export function decodeAt(
  words: readonly number[],
  first: number,
  layout: Layout,
  visitor: VisitorConfig,
): PropertyValue {
  // Most properties by far are plain registers, of which a fast link brings hundreds of thousands a second.
  if (layout.dataType === 'uint16' || layout.dataType === 'int16') {
    const word = words[first] ?? 0
    const raw = visitor.isSwap ? swapped(word) : word
    return scaled(layout.dataType === 'int16' && raw > 0x7fff ? raw - 0x10000 : raw, visitor.scale)
  }
  return decode(words.slice(first, first + layout.length), layout, visitor)
}

/** Registers, as read, to a value. Throws for registers that hold none. */
export function decode(words: readonly number[], layout: Layout, visitor: VisitorConfig): PropertyValue {
  if (layout.dataType === 'bool') return words.some((word) => word !== 0)
  if (layout.dataType === 'bits') return decodeBits(words[0] ?? 0, visitor)
  const bytes = toBytes(words, visitor)
  const view = new DataView(bytes.buffer)
  switch (layout.dataType) {
    case 'string':
      return decodeText(bytes, visitor)
    case 'bytes':
      return bytes
    case 'int16':
    case 'uint16':
      return decodeAt(words, 0, layout, visitor)
    case 'int32':
      return scaled(view.getInt32(0), visitor.scale)
    case 'uint32':
      return scaled(view.getUint32(0), visitor.scale)
    case 'int64':
      return scaledBig(view.getBigInt64(0), visitor.scale)
    case 'uint64':
      return scaledBig(view.getBigUint64(0), visitor.scale)
    case 'float32':
      return scaledFloat(aNumber(view.getFloat32(0)), visitor.scale)
    case 'float64':
      return scaledFloat(aNumber(view.getFloat64(0)), visitor.scale)
    case 'bcd16':
    case 'bcd32':
      return scaled(decodeBcd(bytes), visitor.scale)
  }
}

/** A value to the registers that hold it; bits of a register with zeros beside them. Throws when they cannot. */
export function encode(value: PropertyValue, layout: Layout, visitor: VisitorConfig): readonly number[] {
  if (layout.dataType === 'bool') return [visitor.isSwap ? swapped(encodeBool(value)) : encodeBool(value)]
  if (layout.dataType === 'bits') return [encodeBits(value, visitor).bits]
  const bytes = new Uint8Array(layout.length * 2)
  const view = new DataView(bytes.buffer)
  switch (layout.dataType) {
    case 'string':
      encodeText(bytes, value, visitor)
      break
    case 'bytes':
      encodeBytes(bytes, value)
      break
    case 'float32':
      view.setFloat32(0, fitting(unscaledFloat(value, visitor.scale), 'float32'))
      break
    case 'float64':
      view.setFloat64(0, fitting(unscaledFloat(value, visitor.scale), 'float64'))
      break
    default:
      setInteger(view, layout.dataType, unscaled(value, visitor.scale))
  }
  return toWords(bytes, visitor)
}

/** For a property that is bits of a register. Throws when the value does not fit. */
export function encodeBits(value: PropertyValue, visitor: VisitorConfig): BitChange {
  const { first, count } = visitor.bits ?? { first: 0, count: 16 }
  const number = count === 1 && typeof value === 'string' ? encodeBool(value) : numberOf(value)
  if (!Number.isInteger(number) || number < 0 || number >= 2 ** count) {
    throw new RangeError(`${value} does not fit into ${count === 1 ? 'one bit' : `${count} bits`}`)
  }
  const change = { mask: (2 ** count - 1) << first, bits: number << first }
  return visitor.isSwap ? { mask: swapped(change.mask), bits: swapped(change.bits) } : change
}

function decodeBits(word: number, visitor: VisitorConfig): PropertyValue {
  const { first, count } = visitor.bits ?? { first: 0, count: 16 }
  const value = ((visitor.isSwap ? swapped(word) : word) >> first) & (2 ** count - 1)
  return count === 1 ? value === 1 : value
}

function encodeBool(value: PropertyValue): number {
  const on = value === true || value === 'true' || value === '1' || value === 1 || value === 1n
  const off = value === false || value === 'false' || value === '0' || value === 0 || value === 0n
  if (on || off) return on ? 1 : 0
  throw new TypeError(`${String(value)} is neither true nor false`)
}

/** NaN and the infinities are how devices say that they have no value: a broken sensor, a range that was left. */
function aNumber(value: number): number {
  if (Number.isFinite(value)) return value
  throw new RangeError(`the registers hold ${value}, which is no value`)
}

/** Infinity in place of a number that is too large would be a silent change of the value. */
function fitting(value: number, dataType: 'float32' | 'float64'): number {
  if (Number.isFinite(dataType === 'float32' ? Math.fround(value) : value)) return value
  throw new RangeError(`${value} does not fit into ${dataType}`)
}

function setInteger(view: DataView, dataType: string, raw: bigint): void {
  const [low, high] = RANGES[dataType] ?? [0n, 0n]
  if (raw < low || raw > high) throw new RangeError(`${raw} does not fit into ${dataType}`)
  // Decimal digits read as hexadecimal ones are BCD.
  const bits = dataType.startsWith('bcd') ? BigInt(`0x${raw}`) : raw
  if (view.byteLength === 2) view.setUint16(0, Number(BigInt.asUintN(16, bits)))
  else if (view.byteLength === 4) view.setUint32(0, Number(BigInt.asUintN(32, bits)))
  else view.setBigUint64(0, BigInt.asUintN(64, bits))
}

function decodeBcd(bytes: Uint8Array): number {
  const digits = Buffer.from(bytes).toString('hex')
  if (!/^\d+$/.test(digits)) throw new RangeError(`0x${digits} is no BCD number`)
  return Number(digits)
}
