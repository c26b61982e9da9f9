import { formatValue, type PropertyType, type PropertyValue } from '../../../schemas/index.ts'
import { wordOf } from '../../mqtt/extract.ts'
import { parsePointer } from '../../mqtt/pointer.ts'
import type { VisitorConfig } from '../../mqtt/visitor.ts'

export interface StatePart {
  readonly type: PropertyType
  readonly visitor: VisitorConfig
  readonly value: PropertyValue
}

/** What a device publishes on one topic, so that each of its visitors finds its value there. */
export function statePayload(parts: readonly StatePart[], now: number): string {
  const document: PlainObject = {}
  let whole: string | undefined
  for (const { type, visitor, value } of parts) {
    const word = visitor.match ? wordOf(value, type, visitor.match) : undefined
    const text = dressed(word ?? formatValue(value), visitor, whole)
    if (visitor.pointer === undefined) whole = text
    else put(document, visitor.pointer, text === formatValue(value) ? bare(value) : text)
    if (visitor.time !== undefined) put(document, visitor.time, timeText(now, visitor.timeFormat))
  }
  return whole ?? JSON.stringify(document)
}

type PlainObject = Record<string, unknown>

/** Several values may share one text, each in its field. */
function dressed(word: string, { between, separator, index }: VisitorConfig, before: string | undefined): string {
  let text = word
  if (separator !== undefined) {
    const fields = before?.split(separator) ?? []
    while (fields.length <= index) fields.push('')
    fields[index] = word
    text = fields.join(separator)
  }
  return between ? `${between.start}${text}${between.end}` : text
}

function bare(value: PropertyValue): unknown {
  return typeof value === 'number' || typeof value === 'boolean' ? value : formatValue(value)
}

function put(document: PlainObject, pointer: string, value: unknown): void {
  const steps = [...(parsePointer(pointer) ?? [])]
  const last = steps.pop()
  if (last === undefined) return
  let at = document
  for (const step of steps) {
    const next = at[step]
    const inner: PlainObject = isObject(next) ? next : {}
    at[step] = inner
    at = inner
  }
  at[last] = value
}

function timeText(now: number, format: VisitorConfig['timeFormat']): string | number {
  if (format === 's') return Math.floor(now / 1000)
  return format === 'ms' ? now : new Date(now).toISOString()
}

function isObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
