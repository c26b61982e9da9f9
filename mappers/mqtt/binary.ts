import type { PropertyValue } from '../../schemas/index.ts'
import type { BinaryType, VisitorConfig } from './visitor.ts'

type Binary = NonNullable<VisitorConfig['binary']>
type NumberType = Exclude<BinaryType, 'text' | 'bytes'>

const READ: Readonly<
  Record<NumberType, readonly [bytes: number, (view: DataView, at: number, little: boolean) => number | bigint]>
> = {
  int8: [1, (view, at) => view.getInt8(at)],
  uint8: [1, (view, at) => view.getUint8(at)],
  int16: [2, (view, at, little) => view.getInt16(at, little)],
  uint16: [2, (view, at, little) => view.getUint16(at, little)],
  int32: [4, (view, at, little) => view.getInt32(at, little)],
  uint32: [4, (view, at, little) => view.getUint32(at, little)],
  int64: [8, (view, at, little) => narrow(view.getBigInt64(at, little))],
  uint64: [8, (view, at, little) => narrow(view.getBigUint64(at, little))],
  float32: [4, (view, at, little) => view.getFloat32(at, little)],
  float64: [8, (view, at, little) => view.getFloat64(at, little)],
}

/** The value at an offset of a binary payload. Throws where the payload is too short. */
export function readBinary(bytes: Uint8Array, { offset, type, length, littleEndian }: Binary): PropertyValue {
  if (type === 'text' || type === 'bytes') {
    const end = length === undefined ? bytes.length : offset + length
    if (end > bytes.length || offset > bytes.length) throw tooShort(bytes, end)
    const part = bytes.slice(offset, end)
    return type === 'bytes' ? part : new TextDecoder('utf-8', { fatal: true }).decode(part)
  }
  const [size, read] = READ[type]
  if (offset + size > bytes.length) throw tooShort(bytes, offset + size)
  return read(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset, littleEndian)
}

function tooShort(bytes: Uint8Array, needed: number): Error {
  return new Error(`the message has ${bytes.length} bytes, not the ${needed} that the value needs`)
}

function narrow(value: bigint): number | bigint {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value
}
