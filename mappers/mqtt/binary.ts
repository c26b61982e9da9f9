import type { PropertyValue } from '../../schemas/index.ts'
import { readNumber, sizeOf } from '../payload/index.ts'
import type { VisitorConfig } from './visitor.ts'

type Binary = NonNullable<VisitorConfig['binary']>
/** The value at an offset of a binary payload. Throws where the payload is too short. */
export function readBinary(bytes: Uint8Array, { offset, type, length, littleEndian }: Binary): PropertyValue {
  if (type === 'text' || type === 'bytes') {
    const end = length === undefined ? bytes.length : offset + length
    if (end > bytes.length || offset > bytes.length) throw tooShort(bytes, end)
    const part = bytes.slice(offset, end)
    return type === 'bytes' ? part : new TextDecoder('utf-8', { fatal: true }).decode(part)
  }
  const end = offset + sizeOf(type)
  if (end > bytes.length) throw tooShort(bytes, end)
  return readNumber(bytes, offset, type, littleEndian ? 'little' : 'big')
}

function tooShort(bytes: Uint8Array, needed: number): Error {
  return new Error(`the message has ${bytes.length} bytes, not the ${needed} that the value needs`)
}
