import type { PropertyValue } from '../contract/index.ts'
import type { VisitorConfig } from './visitor-config.ts'

type Form = Pick<VisitorConfig, 'padding' | 'encoding'>

/** Text up to its first zero byte; padded with spaces, also without those at its end. */
export function decodeText(bytes: Uint8Array, { padding, encoding }: Form): string {
  const end = bytes.indexOf(0)
  const text = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString(encoding)
  return padding === 'space' ? text.replace(/ +$/, '') : text
}

/** Fills `bytes`. Throws for what has no room or no code. */
export function encodeText(bytes: Uint8Array, value: PropertyValue, { padding, encoding }: Form): void {
  const text = value instanceof Uint8Array ? value : textBytes(String(value), encoding)
  if (text.length > bytes.length) {
    throw new RangeError(`the text takes ${text.length} bytes, there is room for ${bytes.length}`)
  }
  if (text.includes(0)) throw new RangeError('the text holds a zero byte, at which it would end')
  bytes.fill(padding === 'space' ? 0x20 : 0)
  bytes.set(text)
}

/** As many as the registers hold: fewer would be read back as others. */
export function encodeBytes(bytes: Uint8Array, value: PropertyValue): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${String(value)} is no bytes`)
  if (value.length !== bytes.length) throw new RangeError(`${value.length} bytes do not fill ${bytes.length} bytes`)
  bytes.set(value)
}

function textBytes(text: string, encoding: Form['encoding']): Uint8Array {
  const bytes = Buffer.from(text, encoding)
  if (bytes.toString(encoding) !== text) throw new RangeError(`the text cannot be written in ${encoding}`)
  return bytes
}
