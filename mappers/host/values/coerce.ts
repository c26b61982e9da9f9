import { formatValue, type Parsed, type PropertyType, type PropertyValue, parseValue } from '../../../schemas/index.ts'
import { shortestFloat } from './shortest-float.ts'

/** What a driver gave, as canonical text of the property's type; or why it cannot be that. */
export function coerce(type: PropertyType, value: PropertyValue): Parsed<string> {
  switch (type) {
    case 'INT':
      return integer(value)
    case 'FLOAT':
      return decimal('FLOAT', value)
    case 'DOUBLE':
      return decimal('DOUBLE', value)
    case 'BOOLEAN':
      return boolean(value)
    case 'BYTES':
      return bytes(value)
    default:
      return { ok: true, value: formatValue(value) }
  }
}

function integer(value: PropertyValue): Parsed<string> {
  if (typeof value === 'boolean') return { ok: true, value: value ? '1' : '0' }
  if (typeof value === 'number') {
    // -0 too, which must not become "-0".
    if (Number.isSafeInteger(value)) return { ok: true, value: String(value) }
    if (!Number.isFinite(value)) return { ok: false, reason: `${value} is no integer` }
    return canonical('INT', BigInt(Math.round(value)).toString())
  }
  return canonical('INT', textOf(value))
}

function decimal(type: 'FLOAT' | 'DOUBLE', value: PropertyValue): Parsed<string> {
  if (typeof value === 'number') {
    const number = type === 'FLOAT' ? Math.fround(value) : value
    if (Number.isFinite(number)) return { ok: true, value: formatted(type, number) }
  }
  const text = typeof value === 'boolean' ? String(Number(value)) : textOf(value)
  const parsed = parseValue(type, text)
  if (!parsed.ok) return { ok: false, reason: `${shown(text)} ${parsed.reason} (type ${type})` }
  return { ok: true, value: formatted(type, Number(parsed.value)) }
}

function formatted(type: 'FLOAT' | 'DOUBLE', value: number): string {
  return String(type === 'FLOAT' ? shortestFloat(Math.fround(value)) : value)
}

function boolean(value: PropertyValue): Parsed<string> {
  if (typeof value === 'boolean') return { ok: true, value: String(value) }
  if (typeof value === 'number' || typeof value === 'bigint') return { ok: true, value: String(Number(value) !== 0) }
  const text = textOf(value).toLowerCase()
  if (['true', '1', 'on', 'yes'].includes(text)) return { ok: true, value: 'true' }
  if (['false', '0', 'off', 'no'].includes(text)) return { ok: true, value: 'false' }
  return { ok: false, reason: `${shown(text)} must be true or false (type BOOLEAN)` }
}

/** A driver gives bytes; a text must be base64 of them already. */
function bytes(value: PropertyValue): Parsed<string> {
  return typeof value === 'string' || value instanceof Uint8Array
    ? canonical('BYTES', formatValue(value))
    : { ok: false, reason: `${value} is no bytes (type BYTES)` }
}

function canonical(type: PropertyType, text: string): Parsed<string> {
  const parsed = parseValue(type, text)
  if (!parsed.ok) return { ok: false, reason: `${shown(text)} ${parsed.reason} (type ${type})` }
  return { ok: true, value: formatValue(parsed.value) }
}

function textOf(value: PropertyValue): string {
  return value instanceof Uint8Array ? new TextDecoder().decode(value).trim() : String(value).trim()
}

const LONGEST_SHOWN = 80

function shown(text: string): string {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text
}
