import { type Parsed, type PropertyType, type PropertyValue, parseValue, sameValue } from '../../../schemas/index.ts'
import { type BitField, mostOf, readBits } from './bit-field.ts'
import { coerce } from './coerce.ts'
import type { Enumeration } from './enumeration.ts'
import type { Linear } from './linear.ts'
import { exactly, floor, round, toSmall, toValue } from './rational.ts'

export interface ConversionParts {
  /** As its author wrote it: two conversions with the same text are the same. */
  readonly text: string
  /** Of the property. */
  readonly type: PropertyType
  /** As which its driver sees it. */
  readonly rawType: PropertyType
  readonly bits?: BitField | undefined
  readonly linear: Linear
  readonly enumeration?: Enumeration | undefined
}

const INT64_MIN = -(2n ** 63n)
const UINT64_MAX = 2n ** 64n - 1n

/** What a device holds, to the value of a property, and back. Where the way back is not exact it says so, and rounds nothing. */
export class Conversion {
  readonly text: string
  readonly type: PropertyType
  readonly rawType: PropertyType
  readonly bits: BitField | undefined
  readonly #linear: Linear
  readonly #enumeration: Enumeration | undefined

  constructor({ text, type, rawType, bits, linear, enumeration }: ConversionParts) {
    this.text = text
    this.type = type
    this.rawType = rawType
    this.bits = bits
    this.#linear = linear
    this.#enumeration = enumeration
  }

  get isNumeric(): boolean {
    return this.bits !== undefined || !this.#linear.isSame
  }

  /** As a driver gave it, to the value before it is coerced to the property's type. */
  read(raw: PropertyValue): Parsed<PropertyValue> {
    let value = raw
    if (this.bits) {
      const field = readBits(this.bits, raw)
      if (!field.ok) return field
      value = field.value
    }
    if (!this.#linear.isSame) {
      const number = numberOf(value)
      if (number === undefined) return { ok: false, reason: `${shown(value)} is no number: it cannot be converted` }
      value = this.#linear.apply(number)
    }
    return this.#enumeration ? this.#enumeration.read(value) : { ok: true, value }
  }

  /**
   * The canonical text of a wish, to what has to be written: the raw value or, where there are `bits`, their field. A reason
   * completes "value ...".
   */
  write(text: string): Parsed<PropertyValue> {
    let wish: PropertyValue = text
    if (this.#enumeration) {
      const found = this.#enumeration.write(text)
      if (!found.ok || !this.isNumeric) return found
      wish = found.value
    } else if (!this.isNumeric) return parseValue(this.type, text)
    const raw = this.#inverse(String(wish))
    return this.bits && raw.ok ? this.#field(this.bits, raw.value) : raw
  }

  /** Whether a device that gives this back holds what was written. Stricter than that both read alike: rounding could hide a loss. */
  confirms(written: PropertyValue, raw: PropertyValue, text: string): boolean {
    if (this.#enumeration) {
      const read = this.read(raw)
      const back = read.ok ? coerce(this.type, read.value) : read
      return back.ok && sameValue(this.type, back.value, text)
    }
    const field = this.bits ? readBits(this.bits, raw) : undefined
    if (field) return field.ok && sameRaw(field.value, written)
    return sameRaw(raw, written)
  }

  #inverse(text: string): Parsed<number | bigint> {
    const boolean = text === 'true' || text === 'false' ? Number(text === 'true') : undefined
    const exact = this.#linear.invert(exactly(boolean ?? text))
    if (exact.d === 1n) {
      if (exact.n >= INT64_MIN && exact.n <= UINT64_MAX) return { ok: true, value: toSmall(exact.n) }
      return { ok: false, reason: `would be ${exact.n} on the device, which is beyond 64 bits` }
    }
    // The nearest integer, where that reads as what is wished: units do not divide evenly.
    const near = round(exact)
    if (this.#readsAs(near, text)) return { ok: true, value: toSmall(near) }
    if (this.bits) {
      const [below, above] = [floor(exact), floor(exact) + 1n].map((raw) => this.#linear.apply(toSmall(raw)))
      return { ok: false, reason: `lies between two steps; ${below} and ${above} can be written` }
    }
    return { ok: true, value: toValue(exact) }
  }

  #readsAs(raw: bigint, text: string): boolean {
    const value = this.#linear.apply(toSmall(raw))
    // A number that `values` name is no value of the property yet.
    if (this.#enumeration || this.type === 'BOOLEAN') return sameValue('DOUBLE', String(value), text)
    const back = coerce(this.type, value)
    return back.ok && sameValue(this.type, back.value, text)
  }

  #field(bits: BitField, raw: PropertyValue): Parsed<PropertyValue> {
    const field = BigInt(String(raw))
    const most = mostOf(bits)
    if (field >= 0n && field <= most) return { ok: true, value: raw }
    const [low, high] = [0n, most].map((end) => this.#linear.apply(toSmall(end)))
    return { ok: false, reason: `does not fit into ${bits.count} bits, which hold ${low} to ${high}` }
  }
}

/** The same in the device: integers digit by digit, the rest as far as a 32-bit float holds it. */
export function sameRaw(left: PropertyValue, right: PropertyValue): boolean {
  if (left === right) return true
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a === undefined || b === undefined) return String(left) === String(right)
  if (Number.isInteger(Number(a)) && Number.isInteger(Number(b))) return BigInt(a) === BigInt(b)
  return Math.fround(Number(a)) === Math.fround(Number(b))
}

function numberOf(value: PropertyValue): number | bigint | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return Number(value)
  if (value instanceof Uint8Array) return undefined
  const text = value.trim()
  const parsed = parseValue(/^[+-]?\d+$/.test(text) ? 'INT' : 'DOUBLE', text)
  return parsed.ok && (typeof parsed.value === 'number' || typeof parsed.value === 'bigint') ? parsed.value : undefined
}

function shown(value: PropertyValue): string {
  return value instanceof Uint8Array ? 'a value of bytes' : JSON.stringify(String(value).slice(0, 80))
}
