import { followPointer } from '../payload/index.ts'
import type { Message } from './message.ts'
import type { VisitorConfig } from './visitor.ts'

type TimeFormat = VisitorConfig['timeFormat']

/** From here on a number counts milliseconds: as seconds it would be beyond the year 5000. */
const SURELY_MS = 100_000_000_000
const MOST_MS = 8.64e15

/** Unix ms of the message by its own word, or why there is none; undefined where it is not asked for. */
export function sourceTimeOf(message: Message, visitor: VisitorConfig): number | string | undefined {
  if (visitor.time === undefined) return undefined
  const found = followPointer(message.json, visitor.time)
  const time = parseTime(found, visitor.timeFormat)
  return time ?? `the message has no time at ${visitor.time}`
}

export function parseTime(value: unknown, format: TimeFormat): number | undefined {
  const text = typeof value === 'string' ? value.trim() : value
  const number =
    typeof text === 'number'
      ? text
      : typeof text === 'string' && /^\d{1,17}(\.\d+)?$/.test(text)
        ? Number(text)
        : undefined
  if (number !== undefined && format !== 'iso') {
    const inSeconds = format === 's' || (format === 'auto' && number < SURELY_MS)
    return within(Math.round(inSeconds ? number * 1000 : number))
  }
  if (typeof text !== 'string' || (format !== 'auto' && format !== 'iso')) return undefined
  const iso = ISO.exec(text)
  // A time without a zone is UTC here: the zone of the device is not that of the node.
  return iso ? within(Date.parse(`${iso[1]}T${iso[2]}${(iso[3] ?? '').slice(0, 4)}${zone(iso[4])}`)) : undefined
}

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)?$/i

function zone(text: string | undefined): string {
  if (text === undefined || text.toUpperCase() === 'Z') return 'Z'
  return text.includes(':') ? text : `${text.slice(0, 3)}:${text.slice(3)}`
}

function within(milliseconds: number): number | undefined {
  return Number.isFinite(milliseconds) && Math.abs(milliseconds) <= MOST_MS ? milliseconds : undefined
}
