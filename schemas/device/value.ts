import type { ModelProperty, PropertyType } from './device.ts'

/** A value as drivers and hosts hold it. INT is a bigint where a number would lose digits (beyond 2^53). */
export type PropertyValue = number | bigint | string | boolean | Uint8Array

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string }

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n
const INTEGER = /^[+-]?\d+$/
const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

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
    default:
      return { ok: true, value: text }
  }
}

/** The canonical text of a value: what twins store and compare. Bytes are base64. */
export function formatValue(value: PropertyValue): string {
  if (value instanceof Uint8Array) return toBase64(value)
  return String(value)
}

/** Whether two texts mean the same value of this type: `1.0` and `1` for numbers; text compares exactly. */
export function sameValue(type: PropertyType, left: string, right: string): boolean {
  if (left === right) return true
  const a = parseValue(type, left)
  const b = parseValue(type, right)
  if (!a.ok || !b.ok) return false
  if (type === 'FLOAT') return Math.fround(Number(a.value)) === Math.fround(Number(b.value))
  if (type === 'INT') return BigInt(String(a.value)) === BigInt(String(b.value))
  return a.value === b.value
}

/** Why a desired value can never be given to this property, or nothing. Checked at admission and again at the edge. */
export function refuseDesired(property: ModelProperty, text: string): string | undefined {
  if (property.accessMode === 'ReadOnly') return `property ${property.name} is ReadOnly in its DeviceModel`
  const type = property.type ?? 'STRING'
  const parsed = parseValue(type, text)
  if (!parsed.ok) return `${parsed.reason} (type ${type})`
  if (typeof parsed.value !== 'number' && typeof parsed.value !== 'bigint') return undefined
  const low = bound(property.minimum)
  const high = bound(property.maximum)
  if (low !== undefined && parsed.value < low) return `must be greater than or equal to ${property.minimum}`
  if (high !== undefined && parsed.value > high) return `must be less than or equal to ${property.maximum}`
  return undefined
}

function parseInteger(text: string): Parsed<PropertyValue> {
  if (!INTEGER.test(text)) return { ok: false, reason: 'must be an integer' }
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

function bound(text: string | undefined): number | bigint | undefined {
  if (text === undefined || text === '') return undefined
  if (INTEGER.test(text)) return BigInt(text.startsWith('+') ? text.slice(1) : text)
  return DECIMAL.test(text) ? Number(text) : undefined
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const a = bytes[i] ?? 0
    const b = bytes[i + 1] ?? 0
    const c = bytes[i + 2] ?? 0
    const left = bytes.length - i
    text += BASE64.charAt(a >> 2) + BASE64.charAt(((a & 3) << 4) | (b >> 4))
    text += left > 1 ? BASE64.charAt(((b & 15) << 2) | (c >> 6)) : '='
    text += left > 2 ? BASE64.charAt(c & 63) : '='
  }
  return text
}
