import { CelError } from '../errors.ts'
import { patternOf } from '../regex.ts'
import { listValue, membersOf } from '../values.ts'
import { int, list, mismatch, place, text } from './arguments.ts'
import { formatted } from './format.ts'
import { define, type Overload, type Run } from './signature.ts'

/** Texts that a rule makes up. */
const LONGEST = 4 * 1024 * 1024
const EVERY = 2 ** 31

/** Places count code points, as in CEL, and not UTF-16 units. */
export const STRINGS: readonly Overload[] = [
  define('size(string): int', sizeOf),
  define('string -> size(): int', sizeOf),
  define('size(bytes): int', ([value]) => (value instanceof Uint8Array ? BigInt(value.length) : mismatch())),
  define('bytes -> size(): int', ([value]) => (value instanceof Uint8Array ? BigInt(value.length) : mismatch())),
  ...look('contains', (whole, part) => whole.includes(part)),
  ...look('startsWith', (whole, part) => whole.startsWith(part)),
  ...look('endsWith', (whole, part) => whole.endsWith(part)),
  define('string -> matches(string): bool', matches),
  define('matches(string, string): bool', matches),
  define('string -> find(string): string', (args, budget) => {
    return searched(args, budget).find(text(args, 0)) ?? ''
  }),
  define('string -> findAll(string): list(string)', (args, budget) => {
    return listValue(searched(args, budget).findAll(text(args, 0), EVERY))
  }),
  define('string -> findAll(string, int): list(string)', (args, budget) => {
    const most = place(int(args, 2))
    return listValue(searched(args, budget).findAll(text(args, 0), most < 0 ? EVERY : most))
  }),
  define('string -> charAt(int): string', (args, budget) => {
    const points = pointsOf(text(args, 0), budget)
    const at = int(args, 1)
    if (at < 0n || at > BigInt(points.length)) throw new CelError(`index out of range: ${at}`)
    return points[place(at)] ?? ''
  }),
  define('string -> indexOf(string): int', (args, budget) => found(args, budget, 0)),
  define('string -> indexOf(string, int): int', (args, budget) => found(args, budget, place(int(args, 2)))),
  define('string -> lastIndexOf(string): int', (args, budget) => foundLast(args, budget, EVERY)),
  define('string -> lastIndexOf(string, int): int', (args, budget) => foundLast(args, budget, place(int(args, 2)))),
  ...change('lowerAscii', (value) => value.replaceAll(/[A-Z]+/g, (part) => part.toLowerCase())),
  ...change('upperAscii', (value) => value.replaceAll(/[a-z]+/g, (part) => part.toUpperCase())),
  ...change('trim', trimmed),
  define('string -> replace(string, string): string', (args, budget) => replaced(args, budget, -1)),
  define('string -> replace(string, string, int): string', (args, budget) =>
    replaced(args, budget, place(int(args, 3))),
  ),
  define('string -> split(string): list(string)', (args, budget) => splitBy(args, budget, -1)),
  define('string -> split(string, int): list(string)', (args, budget) => splitBy(args, budget, place(int(args, 2)))),
  define('string -> substring(int): string', (args, budget) => {
    const points = pointsOf(text(args, 0), budget)
    return part(points, int(args, 1), BigInt(points.length))
  }),
  define('string -> substring(int, int): string', (args, budget) =>
    part(pointsOf(text(args, 0), budget), int(args, 1), int(args, 2)),
  ),
  define('list(string) -> join(): string', (args, budget) => joined(args, budget, '')),
  define('list(string) -> join(string): string', (args, budget) => joined(args, budget, text(args, 1))),
  define('string -> format(list(dyn)): string', (args, budget) =>
    formatted(text(args, 0), [...membersOf(list(args, 1))], budget),
  ),
  define('strings.quote(string): string', (args, budget) => {
    budget.spendText(text(args, 0).length)
    return JSON.stringify(text(args, 0))
  }),
]

type Spender = Parameters<Run>[1]
type Values = Parameters<Run>[0]

function sizeOf(args: Values, budget: Spender): bigint {
  return BigInt(pointsOf(text(args, 0), budget).length)
}

function matches(args: Values, budget: Spender): boolean {
  return searched(args, budget).test(text(args, 0))
}

/** The pattern that a text is about to be looked through for, once that is paid. */
function searched(args: Values, budget: Spender): NonNullable<ReturnType<typeof patternOf>> {
  const source = text(args, 1)
  budget.spendText(source.length)
  const made = patternOf(source)
  if (!made) throw new CelError(`error parsing regexp: \`${source}\``)
  budget.spendText(text(args, 0).length * made.weight)
  return made
}

function look(name: string, holds: (whole: string, part: string) => boolean): readonly Overload[] {
  return [
    define(`string -> ${name}(string): bool`, (args, budget) => {
      budget.spendText(text(args, 0).length)
      return holds(text(args, 0), text(args, 1))
    }),
  ]
}

function change(name: string, changed: (value: string) => string): readonly Overload[] {
  return [
    define(`string -> ${name}(): string`, (args, budget) => {
      budget.spendText(text(args, 0).length)
      return changed(text(args, 0))
    }),
  ]
}

function pointsOf(value: string, budget: Spender): readonly string[] {
  budget.spendText(value.length)
  return [...value]
}

function found(args: Values, budget: Spender, from: number): bigint {
  const points = pointsOf(text(args, 0), budget)
  if (text(args, 1) === '') return BigInt(from)
  if (from < 0 || from >= Math.max(points.length, 1)) throw new CelError(`index out of range: ${from}`)
  const skipped = points.slice(0, from).join('').length
  const unit = text(args, 0).indexOf(text(args, 1), skipped)
  return unit < 0 ? -1n : BigInt([...text(args, 0).slice(0, unit)].length)
}

function foundLast(args: Values, budget: Spender, from: number): bigint {
  const points = pointsOf(text(args, 0), budget)
  if (from < 0 || (from !== EVERY && from >= Math.max(points.length, 1))) {
    throw new CelError(`index out of range: ${from}`)
  }
  const unit = text(args, 0).lastIndexOf(text(args, 1), points.slice(0, from).join('').length)
  return unit < 0 ? -1n : BigInt([...text(args, 0).slice(0, unit)].length)
}

function replaced(args: Values, budget: Spender, most: number): string {
  const [whole, old, fresh] = [text(args, 0), text(args, 1), text(args, 2)]
  budget.spendText(whole.length)
  const pieces = old === '' ? [...whole] : whole.split(old)
  const cuts = old === '' ? ['', ...pieces, ''] : pieces
  const times = most < 0 ? cuts.length - 1 : Math.min(most, cuts.length - 1)
  const length = whole.length + times * fresh.length
  if (length > LONGEST) throw new CelError('text too long')
  budget.spendText(length)
  const [head = '', ...tail] = cuts
  return head + tail.map((each, index) => (index < times ? fresh : old) + each).join('')
}

function splitBy(args: Values, budget: Spender, most: number): ReturnType<typeof listValue> {
  const [whole, separator] = [text(args, 0), text(args, 1)]
  budget.spendText(whole.length)
  if (most === 0) return listValue([])
  const pieces = separator === '' ? [...whole] : whole.split(separator)
  if (most < 0 || pieces.length <= most) return listValue(pieces)
  return listValue([...pieces.slice(0, most - 1), pieces.slice(most - 1).join(separator)])
}

function part(points: readonly string[], from: bigint, to: bigint): string {
  if (from < 0n || from > BigInt(points.length)) throw new CelError(`index out of range: ${from}`)
  if (to < 0n || to > BigInt(points.length)) throw new CelError(`index out of range: ${to}`)
  if (from > to) throw new CelError(`invalid substring range. start: ${from}, end: ${to}`)
  return points.slice(place(from), place(to)).join('')
}

function joined(args: Values, budget: Spender, separator: string): string {
  const parts = [...membersOf(list(args, 0))].map((each) => (typeof each === 'string' ? each : mismatch()))
  const length = parts.reduce((sum, each) => sum + each.length + separator.length, 0)
  if (length > LONGEST) throw new CelError('text too long')
  budget.spend(parts.length)
  budget.spendText(length)
  return parts.join(separator)
}

/** One end after the other: a single expression would look at every blank inside anew. */
function trimmed(value: string): string {
  const isBlank = (at: number) => /^\p{White_Space}$/u.test(value.charAt(at))
  let [from, to] = [0, value.length]
  while (from < to && isBlank(from)) from++
  while (to > from && isBlank(to - 1)) to--
  return value.slice(from, to)
}
