/**
 * Bytes as a person writes them: text with the escapes `\r \n \t \0 \\ \xHH`, or pairs of hexadecimal digits after `hex:`,
 * e.g. `\x02OK\r` or `hex: 02 4f 4b 0d`. Text beyond ASCII is UTF-8.
 */
export type ParsedBytes =
  | { readonly ok: true; readonly value: Buffer }
  | { readonly ok: false; readonly reason: string }

const ESCAPES: Readonly<Record<string, number>> = { r: 13, n: 10, t: 9, '0': 0, '\\': 92 }
const HEX = 'hex:'

export function isHex(text: string): boolean {
  return text.startsWith(HEX)
}

/** What follows `hex:`, without its spaces. */
export function hexDigits(text: string): string {
  return text.slice(HEX.length).replaceAll(/\s/g, '')
}

export function parseBytes(text: string): ParsedBytes {
  return isHex(text) ? parseHex(hexDigits(text)) : parseEscaped(text)
}

export function parseHex(digits: string): ParsedBytes {
  if (!/^[0-9a-f]*$/i.test(digits))
    return { ok: false, reason: 'has something after hex: that is no hexadecimal digit' }
  if (digits.length % 2 !== 0) return { ok: false, reason: 'has an odd number of digits after hex:' }
  return { ok: true, value: Buffer.from(digits, 'hex') }
}

export function parseEscaped(text: string): ParsedBytes {
  const parts: Buffer[] = []
  for (let at = 0; at < text.length; ) {
    const next = text.indexOf('\\', at)
    if (next < 0) {
      parts.push(Buffer.from(text.slice(at)))
      break
    }
    parts.push(Buffer.from(text.slice(at, next)))
    const letter = text[next + 1] ?? ''
    const plain = ESCAPES[letter]
    const digits = text.slice(next + 2, next + 4)
    if (plain !== undefined) parts.push(Buffer.from([plain]))
    else if (letter === 'x' && /^[0-9a-f]{2}$/i.test(digits)) parts.push(Buffer.from(digits, 'hex'))
    else return { ok: false, reason: `has an unknown escape \\${letter}; there is \\r \\n \\t \\0 \\\\ and \\xHH` }
    at = next + (letter === 'x' ? 4 : 2)
  }
  return { ok: true, value: Buffer.concat(parts) }
}

const LONGEST_SHOWN = 60

/** Bytes in a message: as text with escapes, cut where it is long. */
export function showBytes(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes.subarray(0, LONGEST_SHOWN)) {
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c
    text += isPlain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`
  }
  return bytes.length > LONGEST_SHOWN ? `"${text}..."` : `"${text}"`
}
