import { formatValue, type PropertyType, type PropertyValue } from '../../../schemas/index.ts'
import { wordOf } from '../../mqtt/extract.ts'
import type { VisitorConfig } from '../../mqtt/visitor.ts'
import { documentAt } from '../../payload/index.ts'

export interface StatePart {
  readonly type: PropertyType
  readonly visitor: VisitorConfig
  readonly value: PropertyValue
}

/** What a device publishes on one topic, so that each of its visitors finds its value there. */
export function statePayload(parts: readonly StatePart[], now: number): string {
  const placed: (readonly [pointer: string, value: unknown])[] = []
  let whole: string | undefined
  for (const { type, visitor, value } of parts) {
    const word = visitor.match ? wordOf(value, type, visitor.match) : undefined
    const text = dressed(word ?? formatValue(value), visitor, whole)
    if (visitor.pointer === undefined) whole = text
    else placed.push([visitor.pointer, text === formatValue(value) ? bare(value) : text])
    if (visitor.time !== undefined) placed.push([visitor.time, timeText(now, visitor.timeFormat)])
  }
  return whole ?? JSON.stringify(documentAt(placed))
}

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

function timeText(now: number, format: VisitorConfig['timeFormat']): string | number {
  if (format === 's') return Math.floor(now / 1000)
  return format === 'ms' ? now : new Date(now).toISOString()
}
