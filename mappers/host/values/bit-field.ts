import type { Parsed, PropertyValue } from '../../../schemas/index.ts'
import { toSmall } from './rational.ts'

/** Some bits of an integer. Negative integers count as two's complement of any width. */
export interface BitField {
  readonly first: number
  readonly count: number
}

/** Shifts of numbers hold 31 bits without a sign. */
const SMALL_BITS = 31
const SMALL_MOST = 2 ** SMALL_BITS

/** The field as a number of its own, without a sign. */
export function readBits({ first, count }: BitField, raw: PropertyValue): Parsed<number | bigint> {
  if (typeof raw === 'number' && raw >= 0 && raw < SMALL_MOST && Number.isInteger(raw) && first + count <= SMALL_BITS) {
    return { ok: true, value: (raw >>> first) & (2 ** count - 1) }
  }
  const integer = integerOf(raw)
  if (!integer.ok) return integer
  return { ok: true, value: toSmall((integer.value >> BigInt(first)) & mask(count)) }
}

/** The integer with other bits in the field, and the rest as they are. */
export function writeBits(
  { first, count }: BitField,
  raw: PropertyValue,
  field: number | bigint,
): Parsed<number | bigint> {
  const integer = integerOf(raw)
  if (!integer.ok) return integer
  const shift = BigInt(first)
  const others = integer.value & ~(mask(count) << shift)
  return { ok: true, value: toSmall(others | (BigInt(field) << shift)) }
}

export function mostOf({ count }: BitField): bigint {
  return mask(count)
}

function mask(count: number): bigint {
  return (1n << BigInt(count)) - 1n
}

function integerOf(raw: PropertyValue): Parsed<bigint> {
  if (typeof raw === 'bigint') return { ok: true, value: raw }
  if (typeof raw === 'boolean') return { ok: true, value: raw ? 1n : 0n }
  const text = typeof raw === 'string' ? raw.trim() : raw
  if (typeof text === 'number' && Number.isInteger(text)) return { ok: true, value: BigInt(text) }
  if (typeof text === 'string' && /^[+-]?\d{1,64}$/.test(text)) return { ok: true, value: BigInt(text) }
  return {
    ok: false,
    reason: `${raw instanceof Uint8Array ? 'bytes are' : `${raw} is`} no integer: only integers have bits`,
  }
}
