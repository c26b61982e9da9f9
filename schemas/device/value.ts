import { fromBase64, toBase64 } from './base64.ts'
import type { ModelProperty, PropertyType } from './device.ts'

/** A value as drivers and hosts hold it. INT is a bigint where a number would lose digits (beyond 2^53). */
export type PropertyValue = number | bigint | string | boolean | Uint8Array

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const INTEGER = /^[+-]?\d+$/
/** Nothing in it can match the same digits in two ways: a long text of a client takes no longer than it is. */
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/
/** More digits are no 64-bit number, however many zeros lead them. */
const MOST_DIGITS = 64

/** Text of a manifest or MQTT payload to a value of the model's type. The reason completes "value ... ". */
export function parseValue(type: PropertyType, text: string): Parsed<PropertyValue> {
  switch (type) {
    case 'INT':
      return parseInteger(text)
    case 'FLOAT':
    case 'DOUBLE':
      return parseDecimal(type, text)
    case 'BOOLEAN':
      if (text === 'true' || text === 'false') return { ok: true, value: text === 'true' }
      return { ok: false, reason: 'must be true or false' }
    case 'BYTES': {
      const bytes = fromBase64(text)
      return bytes ? { ok: true, value: bytes } : { ok: false, reason: 'must be base64' }
    }
    default:
      return { ok: true, value: text }
  }
}

/** The canonical text of a value: what twins store and compare. Bytes are base64. Never a JSON number, which loses digits. */
export function formatValue(value: PropertyValue): string {
  if (value instanceof Uint8Array) return toBase64(value)
  return String(value)
}

/** Whether two texts mean the same value of this type: `1.0` and `1` for numbers, the same bytes for base64; text compares exactly. */
export function sameValue(type: PropertyType, left: string, right: string): boolean {
  if (left === right) return true
  const a = parseValue(type, left)
  const b = parseValue(type, right)
  if (!a.ok || !b.ok) return false
  if (type === 'FLOAT') return Math.fround(Number(a.value)) === Math.fround(Number(b.value))
  if (type === 'INT') return BigInt(String(a.value)) === BigInt(String(b.value))
  if (type === 'BYTES') return formatValue(a.value) === formatValue(b.value)
  return a.value === b.value
}

const READ_ONLY = 'is not allowed: the property is ReadOnly in its DeviceModel'

/** Why a desired value can never be given to this property, or nothing. Checked at admission and again at the edge. */
export function refuseDesired(property: ModelProperty, text: string): string | undefined {
  if (property.accessMode === 'ReadOnly') return READ_ONLY
  const type = property.type ?? 'STRING'
  const parsed = parseValue(type, text)
  if (!parsed.ok) return `${parsed.reason} (type ${type})`
  if (typeof parsed.value !== 'number' && typeof parsed.value !== 'bigint') return undefined
  const low = bound(type, property.minimum, 'up')
  const high = bound(type, property.maximum, 'down')
  if (low !== undefined && parsed.value < low) return `must be greater than or equal to ${property.minimum}`
  if (high !== undefined && parsed.value > high) return `must be less than or equal to ${property.maximum}`
  return undefined
}

function parseInteger(text: string): Parsed<PropertyValue> {
  if (!INTEGER.test(text)) return { ok: false, reason: 'must be an integer' }
  if (text.length > MOST_DIGITS) return { ok: false, reason: 'must fit into 64 bits' }
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  if (value < INT64_MIN || value > INT64_MAX) return { ok: false, reason: 'must fit into 64 bits' }
  const small = Number(value)
  return { ok: true, value: Number.isSafeInteger(small) ? small : value }
}

function parseDecimal(type: PropertyType, text: string): Parsed<PropertyValue> {
  if (!DECIMAL.test(text)) return { ok: false, reason: 'must be a number' }
  const value = Number(text)
  if (!Number.isFinite(type === 'FLOAT' ? Math.fround(value) : value)) {
    return { ok: false, reason: 'is out of range' }
  }
  return { ok: true, value }
}

/** A bound of an INT with decimals is the next integer within it, by its digits: a double has too few of them. */
function bound(type: PropertyType, text: string | undefined, towards: 'up' | 'down'): number | bigint | undefined {
  if (text === undefined || text === '' || !DECIMAL.test(text)) return undefined
  const [, sign, digits, decimals = ''] = /^([+-]?)(\d*)(?:\.(\d*))?$/.exec(text) ?? []
  if (digits === undefined || (type !== 'INT' && decimals !== '')) return Number(text)
  const whole = BigInt(digits || '0') * (sign === '-' ? -1n : 1n)
  if (/^0*$/.test(decimals)) return whole
  if (towards === 'up') return sign === '-' ? whole : whole + 1n
  return sign === '-' ? whole - 1n : whole
}
