import type { PropertyType, PropertyValue } from '../../contract/index.ts'
import { documentAt, integerOf, numberBytes, readNumber, sizeOf } from '../../payload/index.ts'
import { bcdBytes } from './bcd.ts'
import type { Place, Spelling } from './extract.ts'

/** One value and where it goes. */
export interface Placed {
  readonly place: Place
  readonly type: PropertyType
  readonly spelling: Spelling
  readonly value: PropertyValue
}

/**
 * The payload from which `extract` takes these values: what a device would send. `head` is what it begins with. Throws where
 * the places exclude each other.
 */
export function compose(values: readonly Placed[], head: Uint8Array = new Uint8Array()): Buffer {
  const [first] = values
  if (!first) return Buffer.from(head)
  const kinds = new Set(values.map(({ place }) => place.kind))
  if (first.place.kind === 'whole' || kinds.size === 1) {
    switch (first.place.kind) {
      case 'whole':
        return values.length === 1 ? Buffer.concat([head, textBytes(first)]) : conflict()
      case 'field':
        return fields(values, first.place.separator, Buffer.from(head).toString())
      case 'key': {
        // What frames of this kind begin with may be the first key.
        const text = Buffer.from(pairs(values, first.place.separator))
        return text.subarray(0, head.length).equals(head) ? text : Buffer.concat([head, text])
      }
      case 'pointer':
        return Buffer.from(JSON.stringify(json(values)))
    }
  }
  if (kinds.has('whole') || kinds.has('field') || kinds.has('key') || kinds.has('pointer')) return conflict()
  return positions(values, Buffer.from(head))
}

/** As `spelled` reads it. */
export function spell(value: PropertyValue, spelling: Spelling): string {
  if (typeof value === 'boolean') return value ? spelling.trueText : spelling.falseText
  if (value instanceof Uint8Array) return Buffer.from(value).toString()
  if (typeof value === 'string') return value
  if (spelling.base === 16) return integerOf(value).toString(16).toUpperCase()
  return String(value).replace('.', spelling.decimal)
}

function textBytes({ value, spelling }: Placed): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(spell(value, spelling))
}

/** The head is the first field, or the beginning of it. */
function fields(values: readonly Placed[], separator: string, head: string): Buffer {
  const all: string[] = []
  for (const { place, value, spelling } of values) {
    if (place.kind !== 'field' || place.separator !== separator) return conflict()
    all[place.index] = spell(value, spelling)
  }
  // Spaces in turn separate once, so that an empty field would not be one.
  const filled = Array.from(all, (field) => field ?? (separator === ' ' ? '-' : ''))
  if (head !== '') {
    const own = head.split(separator).filter((part, index) => part !== '' || index > 0)
    for (const [index, part] of own.entries()) if (all[index] === undefined && part !== '') filled[index] = part
    if (all[0] !== undefined) filled[0] = `${head}${filled[0]}`
  }
  return Buffer.from(filled.join(separator))
}

function pairs(values: readonly Placed[], separator: string): string {
  return values
    .map(({ place, value, spelling }) =>
      place.kind === 'key' && place.separator === separator
        ? `${place.key}${place.assign}${spell(value, spelling)}`
        : conflict(),
    )
    .join(separator)
}

function json(values: readonly Placed[]): object {
  return documentAt(
    values.map(({ place, value, spelling }) => {
      const isPlain = typeof value === 'number' || typeof value === 'boolean'
      return [place.kind === 'pointer' ? place.pointer : conflict(), isPlain ? value : spell(value, spelling)]
    }),
  )
}

function positions(values: readonly Placed[], head: Buffer): Buffer {
  let payload = head
  for (const { place, value, spelling } of values) {
    const [at, bytes] = positioned(place, value, spelling, payload)
    const isText = place.kind === 'column' || place.kind === 'string'
    if (payload.length < at + bytes.length) {
      payload = Buffer.concat([payload, Buffer.alloc(at + bytes.length - payload.length, isText ? ' ' : 0)])
    }
    bytes.copy(payload, at)
  }
  return payload
}

function positioned(place: Place, value: PropertyValue, spelling: Spelling, payload: Buffer): [number, Buffer] {
  switch (place.kind) {
    case 'number':
      return [place.at, numberBytes(value, place.type, place.order)]
    case 'bcd':
      return [place.at, bcdBytes(value, place.length, place.order)]
    case 'bit': {
      const size = sizeOf(place.type)
      const there = Buffer.alloc(size)
      there.set(payload.subarray(place.at, place.at + size))
      const mask = 1n << BigInt(place.bit)
      const others = BigInt(readNumber(there, 0, place.type, place.order)) & ~mask
      return [place.at, numberBytes(value === true ? others | mask : others, place.type, place.order)]
    }
    case 'column':
      return [place.at, padded(Buffer.from(spell(value, spelling)), place.length, ' ')]
    case 'string':
    case 'bytes': {
      const bytes = value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(spell(value, spelling))
      return [place.at, padded(bytes, place.length ?? bytes.length, '\0')]
    }
    default:
      return conflict()
  }
}

function padded(bytes: Buffer, length: number, fill: string): Buffer {
  if (bytes.length > length) throw new RangeError(`a value of ${bytes.length} bytes does not fit into ${length}`)
  return Buffer.concat([bytes, Buffer.alloc(length - bytes.length, fill)])
}

function conflict(): never {
  throw new Error(
    'properties of one frame have to be found in one way: all by field, by key, by pointer or by position',
  )
}
