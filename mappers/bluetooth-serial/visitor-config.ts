import { type ConfigIssue, type ConfigSchema, configSchema, type Static, Type } from '../contract/index.ts'
import { NO_POINTER, NUMBER_TYPES, parsePointer } from '../payload/index.ts'
import type { Place, Spelling } from './codec/extract.ts'
import { type PlaceName, parseTemplate, type Template } from './codec/template.ts'

const TEMPLATE = 'Text with the escapes \\r \\n \\t \\0 \\\\ \\xHH, or hex: and pairs of digits, with {address}'

export const VisitorConfig = Type.Object(
  {
    request: Type.Optional(
      Type.String({
        maxLength: 4096,
        description: `What is sent to be told the value. Properties with the same request share one exchange. Absent: the device sends the value by itself. ${TEMPLATE}.`,
      }),
    ),
    match: Type.Optional(
      Type.String({
        maxLength: 4096,
        description: `What a frame with this value has at matchAt. Other frames are left to other properties. Default: any frame. ${TEMPLATE}.`,
      }),
    ),
    matchAt: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 65_535,
      description: 'Where in the payload match is, counted in bytes from 0.',
    }),
    field: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 10_000,
        description: 'Text: which of the fields between separators, counted from 0.',
      }),
    ),
    key: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'Text: the value behind this key and assign, e.g. T in T=21.5;H=40.',
      }),
    ),
    separator: Type.String({
      default: ',',
      minLength: 1,
      maxLength: 8,
      description:
        'Text: what stands between fields, or between pairs of key and value. space and tab may be named; several spaces count as one.',
    }),
    assign: Type.String({
      default: '=',
      minLength: 1,
      maxLength: 8,
      description: 'Text: what stands between key and value.',
    }),
    pointer: Type.Optional(
      Type.String({ maxLength: 500, description: 'JSON: pointer to the value, e.g. /sensors/0/t.' }),
    ),
    column: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65_535,
        description: 'Text: first column of a value of `length` bytes, counted from 0.',
      }),
    ),
    dataType: Type.Optional(
      Type.Union(
        [...NUMBER_TYPES, 'bcd', 'string', 'bytes'].map((type) => Type.Literal(type)),
        { description: 'Binary: what stands at offset. bcd: packed decimal digits. string: up to the first zero.' },
      ),
    ),
    offset: Type.Integer({
      default: 0,
      minimum: 0,
      maximum: 65_535,
      description: 'Binary: first byte of the value in the payload, counted from 0.',
    }),
    length: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 65_536, description: 'Bytes of the value: column, bcd, string, bytes.' }),
    ),
    order: Type.Union([Type.Literal('big'), Type.Literal('little')], {
      default: 'big',
      description: 'Binary: order of the bytes.',
    }),
    bit: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 63,
        description: 'Binary: the value is this bit of the number, 0 the lowest.',
      }),
    ),
    base: Type.Union([Type.Literal(10), Type.Literal(16)], {
      default: 10,
      description: 'Text: whether numbers are decimal or hexadecimal.',
    }),
    decimal: Type.Union([Type.Literal('.'), Type.Literal(',')], {
      default: '.',
      description: 'Text: what separates the decimals of a number.',
    }),
    trueText: Type.String({ default: '1', minLength: 1, maxLength: 100, description: 'Text: how true is spelled.' }),
    falseText: Type.String({ default: '0', minLength: 1, maxLength: 100, description: 'Text: how false is spelled.' }),
    write: Type.Optional(
      Type.String({
        maxLength: 4096,
        description: `What is sent to set the value. ${TEMPLATE} and {value}, each with an optional format: {value:03d}, {value:04X}, {value:.2f}, {value:8s}, {value:u8}, {value:i16le}, {value:f32be}, {value:bcd2}.`,
      }),
    ),
    ack: Type.Optional(
      Type.String({
        maxLength: 4096,
        description: `What the answer to a write begins with when it has worked; empty: any answer will do. Absent: no answer is expected. ${TEMPLATE} and {value}.`,
      }),
    ),
  },
  { title: 'bluetooth-serial visitor', description: 'How a property of a device on a serial line is reached.' },
)
export type VisitorText = Static<typeof VisitorConfig>

/** A property, ready for use. */
export interface SerialVisitor {
  readonly request: Template | undefined
  readonly match: Template | undefined
  readonly matchAt: number
  readonly place: Place
  readonly spelling: Spelling
  readonly write: Template | undefined
  readonly ack: Template | undefined
}

const text = configSchema(VisitorConfig, {
  aliases: { write: ['set', 'command'], request: ['query', 'get'] },
  values: {
    // A text of spaces arrives without them.
    separator: { '': ' ', space: ' ', tab: '\t', '\\t': '\t', comma: ',', semicolon: ';' },
    assign: { '': ' ', space: ' ', tab: '\t', '\\t': '\t' },
    dataType: { int: 'int16', uint: 'uint16', float: 'float32', double: 'float64', byte: 'uint8' },
  },
})

export const visitorConfig: ConfigSchema<SerialVisitor> = {
  jsonSchema: text.jsonSchema,
  parse(input) {
    const parsed = text.parse(input)
    if (!parsed.ok) return parsed
    const visitor = parsed.value
    const issues: ConfigIssue[] = []
    const template = (key: 'request' | 'match' | 'write' | 'ack', names: readonly PlaceName[]) => {
      const found = visitor[key]
      if (found === undefined) return undefined
      const made = parseTemplate(found, names)
      if (made.ok) return made.value
      issues.push({ pointer: `/${key}`, message: made.reason })
      return undefined
    }
    const compiled: SerialVisitor = {
      request: template('request', ['address']),
      match: template('match', ['address']),
      matchAt: visitor.matchAt,
      place: placeOf(visitor, issues),
      spelling: {
        ...{ base: visitor.base, decimal: visitor.decimal },
        ...{ trueText: visitor.trueText, falseText: visitor.falseText },
      },
      write: template('write', ['address', 'value']),
      ack: template('ack', ['address', 'value']),
    }
    if (visitor.pointer !== undefined && !parsePointer(visitor.pointer))
      issues.push({ pointer: '/pointer', message: NO_POINTER })
    if (visitor.request === '') issues.push({ pointer: '/request', message: 'must not be empty' })
    if (visitor.ack !== undefined && visitor.write === undefined) {
      issues.push({ pointer: '/ack', message: 'has no use without write' })
    }
    return issues.length > 0 ? { ok: false, issues } : { ok: true, value: Object.freeze(compiled) }
  },
}

const WAYS = ['field', 'key', 'pointer', 'column', 'dataType'] as const

function placeOf(visitor: VisitorText, issues: ConfigIssue[]): Place {
  const ways = WAYS.filter((way) => visitor[way] !== undefined)
  if (ways.length > 1) {
    issues.push({ pointer: `/${ways[1]}`, message: `has no use beside ${ways[0]}: a value is found in one way` })
  }
  const { field, key, pointer, column, dataType, separator, assign, length, offset: at, order, bit } = visitor
  if (field !== undefined) return { kind: 'field', index: field, separator }
  if (key !== undefined) return { kind: 'key', key, separator, assign }
  if (pointer !== undefined) return { kind: 'pointer', pointer }
  if (column !== undefined) {
    if (length === undefined) issues.push({ pointer: '/length', message: 'is needed by column' })
    return { kind: 'column', at: column, length: length ?? 1 }
  }
  if (dataType === undefined) {
    if (bit !== undefined) issues.push({ pointer: '/dataType', message: 'is needed by bit' })
    return { kind: 'whole' }
  }
  const type = NUMBER_TYPES.find((each) => each === dataType)
  if (type && bit === undefined) return { kind: 'number', at, type, order }
  if (type && bit !== undefined) {
    const most = Number(type.replace(/\D+/, '')) - 1
    if (bit > most || type.startsWith('float')) {
      issues.push({ pointer: '/bit', message: `must be a bit of ${type}` })
    }
    return { kind: 'bit', at, type, order, bit }
  }
  if (dataType === 'bcd') {
    if (length === undefined || length > 9) issues.push({ pointer: '/length', message: 'of bcd must be 1 to 9 bytes' })
    return { kind: 'bcd', at, length: length ?? 1, order }
  }
  return { kind: dataType === 'string' ? 'string' : 'bytes', at, length }
}
