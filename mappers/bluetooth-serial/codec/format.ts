import type { PropertyValue } from '../../contract/index.ts'
import {
  type ByteOrder,
  integerOf,
  NUMBER_TYPES,
  type NumberType,
  numberBytes,
  numberOf,
  sizeOf,
} from '../../payload/index.ts'
import { bcdBytes } from './bcd.ts'

/** How a value is written into a template. Without a format: as text. */
export type Format =
  | { readonly kind: 'text' }
  /** `5d`, `05d`: a whole number, filled up with spaces or zeros. `x` and `X`: the same in hexadecimal. */
  | { readonly kind: 'integer'; readonly width: number; readonly fill: '0' | ' '; readonly base: 'd' | 'x' | 'X' }
  /** `.2f`, `07.2f`: so many decimals. */
  | { readonly kind: 'decimal'; readonly width: number; readonly fill: '0' | ' '; readonly decimals: number }
  /** `8s`: text, filled up with spaces behind. */
  | { readonly kind: 'padded'; readonly width: number }
  /** `u8`, `i16le`, `f32be`: bytes. */
  | { readonly kind: 'number'; readonly type: NumberType; readonly order: ByteOrder }
  /** `bcd2`: so many bytes of two decimal digits each. */
  | { readonly kind: 'bcd'; readonly length: number }

const LETTERS: Readonly<Record<string, string>> = { i: 'int', u: 'uint', f: 'float' }

export function parseFormat(text: string): Format | undefined {
  if (text === '') return { kind: 'text' }
  const integer = /^(0?)(\d{0,2})([dxX])$/.exec(text)
  if (integer) {
    const [, zero, width, letter] = integer
    const base = letter === 'x' || letter === 'X' ? letter : 'd'
    return { kind: 'integer', width: Number(width || 0), fill: zero ? '0' : ' ', base }
  }
  const decimal = /^(0?)(\d{0,2})\.(\d{1,2})f$/.exec(text)
  if (decimal) {
    const [, zero, width, decimals] = decimal
    return { kind: 'decimal', width: Number(width || 0), fill: zero ? '0' : ' ', decimals: Number(decimals) }
  }
  const padded = /^(\d{1,3})s$/.exec(text)
  if (padded) return { kind: 'padded', width: Number(padded[1]) }
  const bcd = /^bcd([1-8])$/.exec(text)
  if (bcd) return { kind: 'bcd', length: Number(bcd[1]) }
  const number = /^([iuf])(8|16|32|64)(be|le)?$/.exec(text)
  const type = NUMBER_TYPES.find((each) => each === `${LETTERS[number?.[1] ?? ''] ?? ''}${number?.[2] ?? ''}`)
  // Without a name for it the order of one byte does not matter; of more it has to be said.
  if (!number || !type || (number[3] === undefined && number[2] !== '8')) return undefined
  return { kind: 'number', type, order: number[3] === 'le' ? 'little' : 'big' }
}

/** Throws when the value has no such form. */
export function formatValue(
  value: PropertyValue,
  format: Format,
  { trueText, falseText }: { readonly trueText: string; readonly falseText: string },
): Buffer {
  switch (format.kind) {
    case 'text':
      return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(textOf(value, trueText, falseText))
    case 'padded': {
      const bytes = Buffer.from(textOf(value, trueText, falseText))
      if (bytes.length > format.width) throw new RangeError(`the text is longer than ${format.width} bytes`)
      return Buffer.concat([bytes, Buffer.alloc(format.width - bytes.length, ' ')])
    }
    case 'integer':
      return Buffer.from(filled(digitsOf(integerOf(value), format.base), format))
    case 'decimal':
      return Buffer.from(filled(numberOf(value).toFixed(format.decimals), format))
    case 'number':
      return numberBytes(value, format.type, format.order)
    case 'bcd':
      return bcdBytes(value, format.length, 'big')
  }
}

/** Whether bytes can have been written in this format: for the other end of a line. */
export function scanValue(bytes: Buffer, format: Format): boolean {
  switch (format.kind) {
    case 'number':
      return bytes.length === sizeOf(format.type)
    case 'bcd':
      return bytes.length === format.length
    case 'integer':
      return (format.base === 'd' ? /^ *[-+]?\d+$/ : /^ *-?[0-9a-f]+$/i).test(bytes.toString('latin1'))
    case 'decimal':
      return /^ *[-+]?\d+\.\d+$/.test(bytes.toString('latin1'))
    case 'padded':
      return bytes.length === format.width
    case 'text':
      return true
  }
}

function textOf(value: PropertyValue, trueText: string, falseText: string): string {
  if (typeof value === 'boolean') return value ? trueText : falseText
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  return String(value)
}

function digitsOf(value: bigint, base: 'd' | 'x' | 'X'): string {
  if (base === 'd') return String(value)
  const digits = value.toString(16)
  return base === 'X' ? digits.toUpperCase() : digits
}

function filled(text: string, { width, fill }: { readonly width: number; readonly fill: '0' | ' ' }): string {
  if (text.length > width && width > 0) throw new RangeError(`${text} is longer than ${width} characters`)
  if (fill === '0' && text.startsWith('-')) return `-${text.slice(1).padStart(width - 1, '0')}`
  return text.padStart(width, fill)
}
