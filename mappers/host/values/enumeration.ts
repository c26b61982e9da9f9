import { type Parsed, type PropertyType, type PropertyValue, sameValue } from '../../../schemas/index.ts'

/** Raw values with the texts that stand for them. */
export class Enumeration {
  readonly #type: PropertyType
  readonly #texts: ReadonlyMap<string, string>
  readonly #rawType: PropertyType

  constructor(type: PropertyType, rawType: PropertyType, values: Readonly<Record<string, string>>) {
    this.#type = type
    this.#rawType = rawType
    this.#texts = new Map(Object.entries(values).map(([raw, text]) => [canonical(raw, rawType), text]))
  }

  read(raw: PropertyValue): Parsed<PropertyValue> {
    const text = this.#texts.get(this.#keyOf(raw))
    if (text !== undefined) return { ok: true, value: text }
    const key = this.#keyOf(raw).slice(0, 80)
    return { ok: false, reason: `${key} has no meaning in convert.values, which know ${list(this.#texts.keys())}` }
  }

  /** The first raw value that stands for this text. */
  write(text: string): Parsed<PropertyValue> {
    for (const [raw, own] of this.#texts) {
      if (sameValue(this.#type, own, text)) return { ok: true, value: rawValue(raw, this.#rawType) }
    }
    return { ok: false, reason: `must be one of ${list(new Set(this.#texts.values()))}` }
  }

  #keyOf(raw: PropertyValue): string {
    if (typeof raw === 'boolean') return this.#rawType === 'BOOLEAN' ? String(raw) : String(Number(raw))
    if (raw instanceof Uint8Array) return new TextDecoder().decode(raw).trim()
    return canonical(String(raw), this.#rawType)
  }
}

/** What the keys of `values` are: integers, numbers, true and false, or any text. */
export function rawTypeOf(values: Readonly<Record<string, string>>): PropertyType {
  const keys = Object.keys(values)
  if (keys.every((key) => /^\s*[+-]?\d{1,20}\s*$/.test(key))) return 'INT'
  if (keys.every((key) => key.trim() !== '' && Number.isFinite(Number(key)))) return 'DOUBLE'
  if (keys.every((key) => key === 'true' || key === 'false')) return 'BOOLEAN'
  return 'STRING'
}

function canonical(text: string, rawType: PropertyType): string {
  const trimmed = text.trim()
  if (rawType === 'INT' && /^[+-]?\d{1,20}$/.test(trimmed)) return BigInt(trimmed.replace('+', '')).toString()
  if (rawType === 'DOUBLE' && trimmed !== '' && Number.isFinite(Number(trimmed))) return String(Number(trimmed))
  return trimmed
}

function rawValue(key: string, rawType: PropertyType): PropertyValue {
  if (rawType === 'INT') {
    const number = Number(key)
    return Number.isSafeInteger(number) ? number : BigInt(key)
  }
  if (rawType === 'DOUBLE') return Number(key)
  return rawType === 'BOOLEAN' ? key === 'true' : key
}

function list(texts: Iterable<string>): string {
  const all = [...texts]
  const some = all.slice(0, 20).join(', ')
  return all.length > 20 ? `${some} and ${all.length - 20} more` : some
}
