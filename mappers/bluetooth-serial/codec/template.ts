import type { PropertyValue } from '../../contract/index.ts'
import { hexDigits, isHex, parseEscaped, parseHex } from '../framing/bytes.ts'
import { type Format, formatValue, parseFormat, scanValue } from './format.ts'

/**
 * Bytes with places for `{address}` and `{value}`, each with an optional format, e.g. `M{address:02d}?`, `SET {value:.1f}` or
 * `hex: 02 {address:u8} 10 {value:u16be}`. `{{` and `}}` are braces.
 */
export interface Template {
  readonly text: string
  readonly parts: readonly TemplatePart[]
}
export type TemplatePart =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'place'; readonly name: PlaceName; readonly format: Format }
export type PlaceName = 'address' | 'value'

export type ParsedTemplate =
  | { readonly ok: true; readonly value: Template }
  | { readonly ok: false; readonly reason: string }

/** What the places stand for. */
export interface Filling {
  readonly address?: string | undefined
  readonly value?: PropertyValue | undefined
  /** How booleans are spelled. */
  readonly trueText: string
  readonly falseText: string
}

const UNPAIRED = 'has a brace without its partner; write {{ and }} for braces'

export function parseTemplate(text: string, names: readonly PlaceName[]): ParsedTemplate {
  const body = isHex(text) ? hexDigits(text) : text
  const parts: TemplatePart[] = []
  let plain = ''
  const flush = (): string | undefined => {
    const bytes = isHex(text) ? parseHex(plain) : parseEscaped(plain)
    plain = ''
    if (!bytes.ok) return bytes.reason
    if (bytes.value.length > 0) parts.push({ kind: 'bytes', bytes: bytes.value })
    return undefined
  }
  for (let at = 0; at < body.length; at++) {
    const letter = body[at] ?? ''
    if (letter !== '{' && letter !== '}') {
      plain += letter
    } else if (body[at + 1] === letter) {
      plain += letter
      at++
    } else {
      const end = body.indexOf('}', at + 1)
      if (letter === '}' || end < 0) return { ok: false, reason: UNPAIRED }
      const reason = flush()
      const place = reason ?? parsePlace(body.slice(at + 1, end), names)
      if (typeof place === 'string') return { ok: false, reason: place }
      parts.push(place)
      at = end
    }
  }
  const reason = flush()
  return reason === undefined ? { ok: true, value: { text, parts } } : { ok: false, reason }
}

export function hasPlace(template: Template, name: PlaceName): boolean {
  return template.parts.some((part) => part.kind === 'place' && part.name === name)
}

/** Throws when a value cannot be written in its format. */
export function render(template: Template, filling: Filling): Buffer {
  return Buffer.concat(
    template.parts.map((part) => {
      if (part.kind === 'bytes') return part.bytes
      const value = part.name === 'address' ? filling.address : filling.value
      if (value === undefined) throw new Error(`{${part.name}} has nothing to stand for`)
      return formatValue(value, part.format, filling)
    }),
  )
}

/** The value that would have been rendered to these bytes; undefined where none would. The other way round of `render`. */
export function unrender(template: Template, bytes: Buffer, filling: Filling): Buffer | undefined {
  let at = 0
  let value: Buffer = Buffer.alloc(0)
  for (const [index, part] of template.parts.entries()) {
    if (part.kind === 'place' && part.name === 'value') {
      const rest = render({ ...template, parts: template.parts.slice(index + 1) }, filling)
      const end = bytes.length - rest.length
      if (end < at || !bytes.subarray(end).equals(rest)) return undefined
      value = bytes.subarray(at, end)
      return scanValue(value, part.format) ? value : undefined
    }
    const own = render({ ...template, parts: [part] }, filling)
    if (!bytes.subarray(at, at + own.length).equals(own)) return undefined
    at += own.length
  }
  return at === bytes.length ? value : undefined
}

function parsePlace(text: string, names: readonly PlaceName[]): TemplatePart | string {
  const colon = text.indexOf(':')
  const wanted = colon < 0 ? text : text.slice(0, colon)
  const name = names.find((each) => each === wanted.trim())
  if (name === undefined) {
    return `has the place {${text}}; there is ${names.map((each) => `{${each}}`).join(' and ')}`
  }
  const format = parseFormat(colon < 0 ? '' : text.slice(colon + 1).trim())
  if (!format) {
    return `has the place {${text}} with an unknown format; formats are such as 3d, 03d, 04X, .2f, 8s, u8, i16le, f32be, bcd2`
  }
  return { kind: 'place', name, format }
}
