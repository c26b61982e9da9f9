import type { PropertyValue } from '../../contract/index.ts'
import { type ByteOrder, integerOf, plainInteger } from '../../payload/index.ts'

/** Packed decimal digits, two in a byte. */
export function readBcd(bytes: Uint8Array, order: ByteOrder): number | bigint {
  const ordered = order === 'little' ? bytes.toReversed() : bytes
  const digits = Buffer.from(ordered).toString('hex')
  if (!/^\d+$/.test(digits)) throw new RangeError(`0x${digits} are no packed decimal digits`)
  return plainInteger(BigInt(digits))
}

export function bcdBytes(value: PropertyValue, length: number, order: ByteOrder): Buffer {
  const digits = String(integerOf(value)).padStart(length * 2, '0')
  if (digits.length > length * 2 || digits.includes('-')) {
    throw new RangeError(`${String(value)} does not fit into ${length * 2} decimal digits`)
  }
  const bytes = Buffer.from(digits, 'hex')
  return order === 'little' ? bytes.reverse() : bytes
}
