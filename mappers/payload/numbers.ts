import type { PropertyValue } from '../../schemas/index.ts'

export const NUMBER_TYPES = [
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float32',
  'float64',
] as const
export type NumberType = (typeof NUMBER_TYPES)[number]
export type ByteOrder = 'big' | 'little'

export function sizeOf(type: NumberType): number {
  return Number(type.replace(/\D+/, '')) / 8
}

/** Throws a RangeError where the bytes end before the number. */
export function readNumber(bytes: Uint8Array, at: number, type: NumberType, order: ByteOrder): number | bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = order === 'little'
  switch (type) {
    case 'int8':
      return view.getInt8(at)
    case 'uint8':
      return view.getUint8(at)
    case 'int16':
      return view.getInt16(at, little)
    case 'uint16':
      return view.getUint16(at, little)
    case 'int32':
      return view.getInt32(at, little)
    case 'uint32':
      return view.getUint32(at, little)
    case 'int64':
      return plainInteger(view.getBigInt64(at, little))
    case 'uint64':
      return plainInteger(view.getBigUint64(at, little))
    case 'float32':
      return view.getFloat32(at, little)
    case 'float64':
      return view.getFloat64(at, little)
  }
}

/** Throws a RangeError when the value does not fit. */
export function numberBytes(value: PropertyValue, type: NumberType, order: ByteOrder): Buffer {
  const size = sizeOf(type)
  const bytes = Buffer.alloc(size)
  const little = order === 'little'
  const view = new DataView(bytes.buffer, bytes.byteOffset, size)
  if (type === 'float32') view.setFloat32(0, numberOf(value), little)
  else if (type === 'float64') view.setFloat64(0, numberOf(value), little)
  else {
    const whole = integerOf(value)
    const bits = size * 8
    const isSigned = type.startsWith('int')
    if (whole !== (isSigned ? BigInt.asIntN(bits, whole) : BigInt.asUintN(bits, whole))) {
      throw new RangeError(`${whole} does not fit into ${type}`)
    }
    writeInteger(view, BigInt.asUintN(bits, whole), little)
  }
  return bytes
}

export function numberOf(value: PropertyValue): number {
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
  if (value instanceof Uint8Array || Number.isNaN(number)) throw new TypeError(`${shown(value)} is no number`)
  return number
}

export function integerOf(value: PropertyValue): bigint {
  if (typeof value === 'bigint') return value
  if (typeof value === 'string' && /^[-+]?\d{1,30}$/.test(value)) return BigInt(value)
  const number = numberOf(value)
  if (!Number.isInteger(number)) throw new TypeError(`${shown(value)} is no integer`)
  return BigInt(number)
}

function writeInteger(view: DataView, bits: bigint, little: boolean): void {
  if (view.byteLength === 1) view.setUint8(0, Number(bits))
  else if (view.byteLength === 2) view.setUint16(0, Number(bits), little)
  else if (view.byteLength === 4) view.setUint32(0, Number(bits), little)
  else view.setBigUint64(0, bits, little)
}

/** Exact in both forms. */
export function plainInteger(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function shown(value: PropertyValue): string {
  return value instanceof Uint8Array ? `a value of ${value.length} bytes` : String(value).slice(0, 60)
}
