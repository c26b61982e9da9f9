import type { Parsed } from '../../../schemas/index.ts'
import type { Behaviour, Linear } from './behaviour.ts'

/** On a DeviceModel or Device: how the values of a simulated one move. */
export const SIMULATE_ANNOTATION = 'skerry.dev/simulate'

export type Behaviours = ReadonlyMap<string, Behaviour>

const LONGEST = 65_536
const MOST_NESTED = 4
const UNITS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 }
const NUMBER = /^[+-]?\d{1,15}(?:\.\d{1,15})?$/
const TIME = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/
const LINEAR = /^([A-Za-z_][\w-]*)(?:\*([+-]?\d{1,15}(?:\.\d{1,15})?))?(?:([+-])(\d{1,15}(?:\.\d{1,15})?))?$/

interface Form {
  /** How it is written, and an example. */
  readonly form: string
  parse(words: readonly string[], depth: number): Behaviour | undefined
}

const FORMS: Readonly<Record<string, Form>> = {
  hold: { form: 'hold(VALUE), as hold(true)', parse: parseHold },
  follow: { form: 'follow(PROPERTY*FACTOR+OFFSET,TIME,SWITCH), as follow(targetSpeed,5s)', parse: parseFollow },
  sine: { form: 'sine(LOW,HIGH,TIME), as sine(20,80,60s)', parse: (words) => parseRange('sine', words) },
  walk: { form: 'walk(LOW,HIGH,TIME), as walk(0,100,10m)', parse: (words) => parseRange('walk', words) },
  count: { form: 'count(RATE), as count(2) or count(power*0.001)', parse: parseCount },
  above: { form: 'above(PROPERTY,ON,OFF), as above(temperature,70,65)', parse: (words) => parseLimit('above', words) },
  below: { form: 'below(PROPERTY,ON,OFF), as below(level,10,15)', parse: (words) => parseLimit('below', words) },
  cycle: { form: 'cycle(TIME,VALUE,VALUE,...), as cycle(10s,idle,busy)', parse: parseCycle },
  noisy: { form: 'noisy(BEHAVIOUR,AMOUNT), as noisy(sine(20,80,60s),0.5)', parse: parseNoisy },
}

/**
 * The text of the annotation: `speed=follow(targetSpeed,5s), alarm=above(temperature,70)`. The reason completes "the
 * annotation ..." and says what to write instead. Whether the named properties exist is not judged.
 */
export function parseBehaviours(text: string): Parsed<Behaviours> {
  if (text.length > LONGEST) return refused(`is longer than ${LONGEST} characters`)
  const behaviours = new Map<string, Behaviour>()
  for (const part of splitOutside(text)) {
    const [name = '', ...rest] = part.split('=')
    const words = rest.join('=').trim()
    if (name.trim() === '' || words === '') {
      return refused(
        `has ${JSON.stringify(part)} in it: write pairs as in "speed=walk(0,100,1m), alarm=above(speed,90)"`,
      )
    }
    if (behaviours.has(name.trim())) return refused(`names ${name.trim()} twice`)
    const parsed = parseBehaviour(words, 0)
    if (!parsed.ok) return parsed
    behaviours.set(name.trim(), parsed.value)
  }
  return { ok: true, value: behaviours }
}

function parseBehaviour(text: string, depth: number): Parsed<Behaviour> {
  const [, name = '', inside = ''] = /^([a-z]+)\((.*)\)$/s.exec(text) ?? []
  const form = Object.hasOwn(FORMS, name) ? FORMS[name] : undefined
  if (!form) {
    return refused(
      `has ${shown(text)} in it: a behaviour is one of ${Object.keys(FORMS).join(', ')}, as sine(20,80,60s)`,
    )
  }
  const behaviour = depth > MOST_NESTED ? undefined : form.parse(splitOutside(inside), depth)
  return behaviour ? { ok: true, value: behaviour } : refused(`has ${shown(text)} in it: write ${form.form}`)
}

function parseHold(words: readonly string[]): Behaviour | undefined {
  const [value, ...more] = words
  return value === undefined || more.length > 0 ? undefined : { kind: 'hold', value }
}

function parseFollow([from = '', time = '0s', gate, ...more]: readonly string[]): Behaviour | undefined {
  const source = linearOf(from)
  const seconds = secondsOf(time)
  if (source?.property === undefined || seconds === undefined || gate === '' || more.length > 0) return undefined
  return { kind: 'follow', source, seconds, ...(gate === undefined ? {} : { gate }) }
}

function parseRange(kind: 'sine' | 'walk', words: readonly string[]): Behaviour | undefined {
  const [low, high] = words.slice(0, 2).map(numberOf)
  const seconds = secondsOf(words[2] ?? '')
  if (low === undefined || high === undefined || low > high || !seconds || words.length !== 3) return undefined
  return { kind, low, high, seconds }
}

function parseCount(words: readonly string[]): Behaviour | undefined {
  const rate = linearOf(words[0] ?? '')
  return rate && words.length === 1 ? { kind: 'count', rate } : undefined
}

function parseLimit(kind: 'above' | 'below', words: readonly string[]): Behaviour | undefined {
  const [source = '', ...limits] = words
  const [on, off = on] = limits.map(numberOf)
  if (source === '' || on === undefined || off === undefined || limits.length > 2) return undefined
  if (limits.length === 2 && numberOf(limits[1] ?? '') === undefined) return undefined
  return (kind === 'above' ? off <= on : off >= on) ? { kind, source, on, off } : undefined
}

function parseCycle([time = '', ...values]: readonly string[]): Behaviour | undefined {
  const seconds = secondsOf(time)
  return seconds && values.length > 0 ? { kind: 'cycle', seconds, values } : undefined
}

function parseNoisy(words: readonly string[], depth: number): Behaviour | undefined {
  const inner = parseBehaviour(words[0] ?? '', depth + 1)
  const amount = numberOf(words[1] ?? '')
  if (!inner.ok || amount === undefined || amount < 0 || words.length !== 2) return undefined
  return { kind: 'noisy', inner: inner.value, amount }
}

function linearOf(text: string): Linear | undefined {
  const bare = numberOf(text)
  if (bare !== undefined) return { factor: 0, offset: bare }
  const [, property, factor = '1', sign = '+', offset = '0'] = LINEAR.exec(text.replaceAll(' ', '')) ?? []
  return property === undefined ? undefined : { factor: Number(factor), property, offset: Number(`${sign}${offset}`) }
}

function numberOf(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : undefined
}

/** A bare number is seconds. */
function secondsOf(text: string): number | undefined {
  const [, amount, unit = 's'] = TIME.exec(text) ?? []
  return amount === undefined ? undefined : Number(amount) * (UNITS[unit] ?? 1)
}

/** Parts between commas that stand in no parentheses, trimmed. */
function splitOutside(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(from, at).trim())
      from = at + 1
    }
  }
  parts.push(text.slice(from).trim())
  return parts
}

function refused(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason }
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text)
}
