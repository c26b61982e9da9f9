import { areEqual, compare, isIn } from '../compare.ts'
import { CelError } from '../errors.ts'
import { type CelValue, isBoxed, listValue, membersOf } from '../values.ts'
import { any, boxed, int, list, members, mismatch, place, ranged } from './arguments.ts'
import { define, type Overload, type Run } from './signature.ts'

type Spender = Parameters<Run>[1]
type Values = Parameters<Run>[0]

const ORDERED = ['int', 'uint', 'double', 'bool', 'string', 'bytes', 'timestamp', 'duration'] as const
const LONGEST = 100_000

export const LISTS: readonly Overload[] = [
  define('size(list(A)): int', (args) => BigInt(list(args, 0).length)),
  define('list(A) -> size(): int', (args) => BigInt(list(args, 0).length)),
  define('size(map(A, B)): int', (args) => BigInt(boxed(args, 0, 'map').keys.length)),
  define('map(A, B) -> size(): int', (args) => BigInt(boxed(args, 0, 'map').keys.length)),
  ...ORDERED.flatMap((type) => [
    define(`list(${type}) -> isSorted(): bool`, isSorted),
    define(`list(${type}) -> min(): ${type}`, (args, budget) => extreme('min', args, budget, (order) => order < 0)),
    define(`list(${type}) -> max(): ${type}`, (args, budget) => extreme('max', args, budget, (order) => order > 0)),
    define(`list(${type}) -> sort(): list(${type})`, sorted),
  ]),
  define('list(int) -> sum(): int', (args, budget) => ranged(total(args, budget))),
  define('list(uint) -> sum(): uint', (args, budget) => ({ kind: 'uint', value: total(args, budget) })),
  define('list(duration) -> sum(): duration', (args, budget) => ({
    kind: 'duration',
    nanos: ranged(total(args, budget)),
  })),
  define('list(double) -> sum(): double', (args, budget) => {
    const all = paid(args, budget)
    return all.reduce((sum: number, each) => sum + (typeof each === 'number' ? each : mismatch()), 0)
  }),
  define('list(A) -> indexOf(A): int', (args, budget) => {
    const value = any(args, 1)
    return BigInt(paid(args, budget).findIndex((each) => areEqual(each, value, budget)))
  }),
  define('list(A) -> lastIndexOf(A): int', (args, budget) => {
    const value = any(args, 1)
    return BigInt(paid(args, budget).findLastIndex((each) => areEqual(each, value, budget)))
  }),
  define('list(A) -> slice(int, int): list(A)', (args, budget) => {
    const all = paid(args, budget)
    const [from, to] = [int(args, 1), int(args, 2)]
    if (from < 0n || to < 0n) throw new CelError(`cannot slice(${from}, ${to}), negative indexes not supported`)
    if (from > to)
      throw new CelError(`cannot slice(${from}, ${to}), start index must be less than or equal to end index`)
    if (to > BigInt(all.length)) throw new CelError(`cannot slice(${from}, ${to}), list is length ${all.length}`)
    return listValue(all.slice(place(from), place(to)))
  }),
  define('list(list(A)) -> flatten(): list(A)', (args, budget) => flat(args, budget, 1)),
  define('list(dyn) -> flatten(): list(dyn)', (args, budget) => flat(args, budget, 1)),
  define('list(dyn) -> flatten(int): list(dyn)', (args, budget) => flat(args, budget, place(int(args, 1)))),
  define('list(A) -> distinct(): list(A)', (args, budget) => {
    const kept: CelValue[] = []
    for (const each of paid(args, budget)) if (!isIn(each, listValue(kept), budget)) kept.push(each)
    return listValue(kept)
  }),
  define('list(A) -> reverse(): list(A)', (args, budget) => listValue([...paid(args, budget)].reverse())),
  define('list(A) -> first(): optional(A)', (args) => edge(args, 0)),
  define('list(A) -> last(): optional(A)', (args) => edge(args, -1)),
  define('lists.range(int): list(int)', (args, budget) => {
    const most = int(args, 0)
    if (most > LONGEST) throw new CelError(`lists.range() size ${most} exceeds ${LONGEST}`)
    budget.spend(Math.max(0, place(most)))
    return listValue(Array.from({ length: Math.max(0, place(most)) }, (_, index) => BigInt(index)))
  }),
  define('sets.contains(list(A), list(A)): bool', (args, budget) =>
    members(args, 1).every((each) => isIn(each, list(args, 0), budget)),
  ),
  define('sets.intersects(list(A), list(A)): bool', (args, budget) =>
    members(args, 1).some((each) => isIn(each, list(args, 0), budget)),
  ),
  define(
    'sets.equivalent(list(A), list(A)): bool',
    (args, budget) =>
      members(args, 1).every((each) => isIn(each, list(args, 0), budget)) &&
      members(args, 0).every((each) => isIn(each, list(args, 1), budget)),
  ),
]

function paid(args: Values, budget: Spender): readonly CelValue[] {
  budget.spend(list(args, 0).length)
  return members(args, 0)
}

function isSorted(args: Values, budget: Spender): boolean {
  const all = paid(args, budget)
  return all.every((each, index) => {
    const next = all[index + 1]
    return next === undefined || compare(each, next, budget) <= 0
  })
}

function sorted(args: Values, budget: Spender): CelValue {
  return listValue([...paid(args, budget)].sort((one, other) => compare(one, other, budget)))
}

function extreme(name: string, args: Values, budget: Spender, isBetter: (order: number) => boolean): CelValue {
  const [first, ...rest] = paid(args, budget)
  if (first === undefined) throw new CelError(`${name} called on empty list`)
  return rest.reduce((best, each) => (isBetter(compare(each, best, budget)) ? each : best), first)
}

function total(args: Values, budget: Spender): bigint {
  return paid(args, budget).reduce((sum: bigint, each) => sum + wholeOf(each), 0n)
}

function wholeOf(value: CelValue): bigint {
  if (typeof value === 'bigint') return value
  if (isBoxed(value) && value.kind === 'uint') return value.value
  return isBoxed(value) && value.kind === 'duration' ? value.nanos : mismatch()
}

function flat(args: Values, budget: Spender, depth: number): CelValue {
  if (depth < 0) throw new CelError('level must be non-negative')
  const open = (values: readonly CelValue[], left: number): readonly CelValue[] => {
    budget.spend(values.length)
    return values.flatMap((each) =>
      left > 0 && isBoxed(each) && each.kind === 'list' ? open([...membersOf(each)], left - 1) : [each],
    )
  }
  return listValue(open(members(args, 0), Math.min(depth, 64)))
}

function edge(args: Values, at: number): CelValue {
  const items = list(args, 0)
  const position = at < 0 ? items.length - 1 : 0
  return { kind: 'optional', value: items.length === 0 ? undefined : items.at(position) }
}
