import type { ModelProperty } from '../../../schemas/index.ts'
import type { Behaviour } from './behaviour.ts'

/** What a name says about the values that are plausible for it: lowest, highest, and seconds to get across. */
const KNOWN: readonly (readonly [RegExp, number, number, number])[] = [
  [/temp/i, 18, 26, 600],
  [/humid|moist/i, 35, 65, 900],
  [/pressure/i, 990, 1025, 1800],
  [/volt/i, 226, 234, 60],
  [/freq/i, 49.95, 50.05, 60],
  [/current|amp/i, 0, 16, 60],
  [/power|watt|load/i, 200, 3000, 120],
  [/flow/i, 0, 20, 60],
  [/speed|rpm/i, 0, 1500, 60],
  [/batt|charge/i, 60, 100, 3600],
  [/co2/i, 420, 1100, 900],
]
const COUNTED = /count|total|energy|hours|uptime|pulses/i
const TROUBLE = /alarm|fault|error|trip/i
const SWITCHED_ON = /run|enable|power|active|^on$|isOn/i

/**
 * How a property moves of which nobody said anything: by its access, type, bounds and name, and through its `values` where only
 * some are known.
 */
export function defaultBehaviour(property: ModelProperty, values: readonly string[] = []): Behaviour {
  const [first] = values
  if (first !== undefined) {
    return property.accessMode === 'ReadOnly' ? { kind: 'cycle', seconds: 30, values } : { kind: 'hold', value: first }
  }
  if (property.accessMode !== 'ReadOnly') return heldFrom(property)
  switch (property.type) {
    case 'INT':
    case 'FLOAT':
    case 'DOUBLE':
      return movingNumber(property)
    case 'BOOLEAN':
      return { kind: 'cycle', seconds: 30, values: TROUBLE.test(property.name) ? [...calm, 'true'] : ['false', 'true'] }
    case 'BYTES':
    case 'STREAM':
      return { kind: 'count', rate: { factor: 0, offset: 1 } }
    default:
      return text(property.name)
  }
}

const calm: readonly string[] = Array.from({ length: 9 }, () => 'false')

/** What can be written holds what was written, and before that something within its bounds. */
function heldFrom({ name, type, minimum, maximum }: ModelProperty): Behaviour {
  if (type === 'BOOLEAN') return { kind: 'hold', value: String(SWITCHED_ON.test(name)) }
  if (type === 'STRING' || type === undefined) return { kind: 'hold', value: '' }
  if (type === 'BYTES' || type === 'STREAM') return { kind: 'hold', value: 'AAAAAAAAAAA=' }
  const low = bound(minimum) ?? Number.NEGATIVE_INFINITY
  const high = bound(maximum) ?? Number.POSITIVE_INFINITY
  return { kind: 'hold', value: String(Math.min(Math.max(0, low), high)) }
}

function movingNumber({ name, minimum, maximum }: ModelProperty): Behaviour {
  const [, low, high, seconds] = KNOWN.find(([pattern]) => pattern.test(name)) ?? [/./, 0, 100, 120]
  const least = bound(minimum)
  const most = bound(maximum)
  if (COUNTED.test(name) && (least ?? 0) <= 0) return { kind: 'count', rate: { factor: 0, offset: 1 } }
  // Where the usual range does not fit into the bounds, the bounds are the range.
  const from = Math.max(low, least ?? low)
  const to = Math.min(high, most ?? high)
  if (from < to) return { kind: 'walk', low: from, high: to, seconds }
  const start = least ?? (most ?? 0) - 100
  return { kind: 'walk', low: start, high: most ?? start + 100, seconds }
}

function text(name: string): Behaviour {
  if (/state|status|mode|phase/i.test(name)) return { kind: 'cycle', seconds: 30, values: ['idle', 'busy'] }
  if (/version|firmware/i.test(name)) return { kind: 'hold', value: '1.0.0' }
  if (/serial|^id$|Id$/.test(name)) return { kind: 'hold', value: 'SIM-0001' }
  return { kind: 'hold', value: name }
}

function bound(value: string | undefined): number | undefined {
  const number = value === undefined || value === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : undefined
}
