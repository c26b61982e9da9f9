import type { PropertyType, PropertyValue } from '../../contract/index.ts'
import {
  type ByteOrder,
  followPointer,
  jsonText,
  type NumberType,
  parseJson,
  readNumber,
  sizeOf,
} from '../../payload/index.ts'
import { showBytes } from '../framing/bytes.ts'
import { readBcd } from './bcd.ts'

/** Where in the payload of a frame a value is, and how it is written there. */
export type Place =
  | { readonly kind: 'whole' }
  | { readonly kind: 'field'; readonly index: number; readonly separator: string }
  | { readonly kind: 'key'; readonly key: string; readonly separator: string; readonly assign: string }
  | { readonly kind: 'pointer'; readonly pointer: string }
  | { readonly kind: 'column'; readonly at: number; readonly length: number }
  | { readonly kind: 'number'; readonly at: number; readonly type: NumberType; readonly order: ByteOrder }
  | { readonly kind: 'bcd'; readonly at: number; readonly length: number; readonly order: ByteOrder }
  | {
      readonly kind: 'bit'
      readonly at: number
      readonly type: NumberType
      readonly order: ByteOrder
      readonly bit: number
    }
  /** Without a length: up to the end. */
  | { readonly kind: 'string' | 'bytes'; readonly at: number; readonly length: number | undefined }

/** How text becomes a value, and back. */
export interface Spelling {
  readonly base: 10 | 16
  readonly decimal: '.' | ','
  readonly trueText: string
  readonly falseText: string
}

/** The value of a payload. Throws an Error that says what is there instead. */
export function extract(payload: Buffer, place: Place, type: PropertyType, spelling: Spelling): PropertyValue {
  switch (place.kind) {
    case 'whole':
      return type === 'BYTES' || type === 'STREAM' ? Buffer.from(payload) : spelled(payload.toString(), type, spelling)
    case 'column':
      return spelled(slice(payload, place.at, place.length).toString(), type, spelling)
    case 'field':
      return spelled(fieldOf(payload, place.index, place.separator), type, spelling)
    case 'key':
      return spelled(keyOf(payload, place.key, place.separator, place.assign), type, spelling)
    case 'pointer':
      return pointed(payload, place.pointer, type, spelling)
    case 'number':
      return readNumber(slice(payload, place.at, sizeOf(place.type)), 0, place.type, place.order)
    case 'bit': {
      const bits = readNumber(slice(payload, place.at, sizeOf(place.type)), 0, place.type, place.order)
      return ((BigInt(bits) >> BigInt(place.bit)) & 1n) === 1n
    }
    case 'bcd':
      return readBcd(slice(payload, place.at, place.length), place.order)
    case 'string':
      return untilZero(slice(payload, place.at, place.length ?? payload.length - place.at)).toString()
    case 'bytes':
      return Buffer.from(slice(payload, place.at, place.length ?? payload.length - place.at))
  }
}

/** Text of a field as a value of the property's type. */
export function spelled(text: string, type: PropertyType, spelling: Spelling): PropertyValue {
  const trimmed = text.trim()
  switch (type) {
    case 'BOOLEAN':
      if (trimmed === spelling.trueText) return true
      if (trimmed === spelling.falseText) return false
      throw new Error(`"${cut(trimmed)}" is neither "${spelling.trueText}" nor "${spelling.falseText}"`)
    case 'INT':
    case 'FLOAT':
    case 'DOUBLE':
      return spelling.base === 16 ? hexadecimal(trimmed) : decimal(trimmed, spelling.decimal, type === 'INT')
    case 'BYTES':
    case 'STREAM':
      return Buffer.from(text)
    default:
      return trimmed
  }
}

/** Runs of spaces separate once: devices fill columns with them. */
export function fieldsOf(text: string, separator: string): readonly string[] {
  return separator === ' ' ? text.split(' ').filter((field) => field !== '') : text.split(separator)
}

function fieldOf(payload: Buffer, index: number, separator: string): string {
  const fields = fieldsOf(payload.toString(), separator)
  const field = fields[index]
  if (field === undefined) throw new Error(`${showBytes(payload)} has ${fields.length} fields, none at ${index}`)
  return field
}

function keyOf(payload: Buffer, key: string, separator: string, assign: string): string {
  for (const pair of payload.toString().split(separator)) {
    const at = pair.indexOf(assign)
    if (at >= 0 && pair.slice(0, at).trim() === key) return pair.slice(at + assign.length)
  }
  throw new Error(`${showBytes(payload)} has no ${key}${assign}`)
}

function pointed(payload: Buffer, pointer: string, type: PropertyType, spelling: Spelling): PropertyValue {
  let document: unknown
  try {
    document = parseJson(payload.toString())
  } catch (cause) {
    throw new Error(`${showBytes(payload)} is no JSON`, { cause })
  }
  const found = followPointer(document, pointer)
  if (found === undefined) throw new Error(`${showBytes(payload)} has nothing at ${pointer}`)
  if (found === null) throw new Error(`${showBytes(payload)} has null at ${pointer}`)
  if (typeof found === 'number' || typeof found === 'boolean' || typeof found === 'bigint') return found
  return typeof found === 'string' ? spelled(found, type, spelling) : jsonText(found)
}

/** A number at the beginning, and a unit behind it at most: "+ 12.5 g". Looks at each letter once. */
function decimal(text: string, point: '.' | ',', isWhole: boolean): PropertyValue {
  const sign = text.startsWith('-') ? '-' : ''
  const rest = (/^[-+]/.test(text) ? text.slice(1) : text).trimStart()
  const found = /^[0-9.,]+(?:[eE][-+]?[0-9]+)?/.exec(rest)?.[0] ?? ''
  const plain = point === ',' ? found.replace(',', '.') : found
  const number = /[0-9]/.test(plain) ? Number(plain) : Number.NaN
  if (Number.isNaN(number) || /[0-9]/.test(rest.slice(found.length))) throw new Error(`"${cut(text)}" is no number`)
  if (isWhole && /^[0-9]+$/.test(plain) && !Number.isSafeInteger(number)) return BigInt(`${sign}${plain}`)
  return sign === '-' ? -number : number
}

function hexadecimal(text: string): PropertyValue {
  const digits = /^(?:0x)?([0-9a-f]{1,16})h?$/i.exec(text)?.[1]
  if (digits === undefined) throw new Error(`"${cut(text)}" is no hexadecimal number`)
  const value = BigInt(`0x${digits}`)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function slice(payload: Buffer, at: number, length: number): Buffer {
  if (length >= 0 && at + length <= payload.length) return payload.subarray(at, at + length)
  throw new Error(`${showBytes(payload)} has ${payload.length} bytes, none for a value at ${at}`)
}

function untilZero(bytes: Buffer): Buffer {
  const end = bytes.indexOf(0)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

function cut(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}...` : text
}
