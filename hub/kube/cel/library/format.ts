import type { Budget } from '../budget.ts'
import { CelError } from '../errors.ts'
import { type CelValue, isBoxed, membersOf } from '../values.ts'
import { durationText, timestampText } from './time-text.ts'

/** After the point; no double has more that say something. */
const MOST_DIGITS = 100

/** `"%s is %d".format([a, b])` (CEL extension library "strings"). */
export function formatted(template: string, values: readonly CelValue[], budget: Budget): string {
  let next = 0
  budget.spendText(template.length)
  return template.replaceAll(/%(%|(?:\.(\d{1,3}))?(.)|$)/gsu, (clause, all, precision, verb) => {
    if (all === '%') return '%'
    if (verb === undefined) throw new CelError('unexpected end of string')
    const value = values[next++]
    if (value === undefined) throw new CelError(`index ${next - 1} out of range`)
    const made = textOf(String(verb), value, Math.min(MOST_DIGITS, Number(precision ?? 6)), clause)
    budget.spendText(made.length)
    return made
  })
}

function textOf(verb: string, value: CelValue, precision: number, clause: string): string {
  switch (verb) {
    case 's':
      return shown(value)
    case 'd':
      return typeof numberOf(value) === 'bigint' ? String(numberOf(value)) : wrong(verb, clause, 'integers')
    case 'f':
      return typeof value === 'number' || numberOf(value) !== undefined
        ? (special(Number(numberOf(value))) ?? Number(numberOf(value)).toFixed(precision))
        : wrong(verb, clause, 'numbers')
    case 'e':
      return numberOf(value) === undefined
        ? wrong(verb, clause, 'numbers')
        : (special(Number(numberOf(value))) ?? exponent(Number(numberOf(value)), precision))
    case 'b':
      if (typeof value === 'boolean') return value ? '1' : '0'
      return based(value, 2) ?? wrong(verb, clause, 'integers and bools')
    case 'o':
      return based(value, 8) ?? wrong(verb, clause, 'integers')
    case 'x':
      return hex(value) ?? wrong(verb, clause, 'integers, byte buffers, and strings')
    case 'X':
      return (hex(value) ?? wrong(verb, clause, 'integers, byte buffers, and strings')).toUpperCase()
    default:
      throw new CelError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`)
  }
}

/** What `%s` gives, also for what stands inside of lists and maps. */
export function shown(value: CelValue): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8')
  if (typeof value === 'number') return special(value) ?? String(value)
  if (!isBoxed(value)) return String(value)
  switch (value.kind) {
    case 'list':
      return `[${[...membersOf(value)].map(shown).join(', ')}]`
    case 'map':
      return `{${value.keys
        .map((key) => `${shown(key)}: ${shown(value.get(key) ?? null)}`)
        .sort()
        .join(', ')}}`
    case 'timestamp':
      return timestampText(value.nanos)
    case 'duration':
      return durationText(value.nanos)
    case 'uint':
      return String(value.value)
    case 'type':
      return value.name
    default:
      throw new CelError(
        'error during formatting: string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
      )
  }
}

function numberOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return isBoxed(value) && value.kind === 'uint' ? value.value : undefined
}

function based(value: CelValue, base: number): string | undefined {
  const number = numberOf(value)
  return typeof number === 'bigint' ? number.toString(base) : undefined
}

function hex(value: CelValue): string | undefined {
  if (typeof value === 'string') return Buffer.from(value).toString('hex')
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : based(value, 16)
}

function special(value: number): string | undefined {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? undefined : value > 0 ? 'Infinity' : '-Infinity'
}

function exponent(value: number, precision: number): string {
  return value.toExponential(precision).replace(/e([+-])(\d)$/, 'e$10$2')
}

function wrong(verb: string, clause: string, what: string): never {
  throw new CelError(`error during formatting: ${verb} clause (${clause}) can only be used on ${what}`)
}
