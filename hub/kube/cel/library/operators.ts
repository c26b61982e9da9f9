import { areEqual, compare, isIn } from '../compare.ts'
import { CelError } from '../errors.ts'
import { type CelValue, identityText, listValue, membersOf } from '../values.ts'
import { any, boxed, int, list, mismatch, place, ranged, text } from './arguments.ts'
import { define, type Overload, type Run } from './signature.ts'

const MOST_UINT = 2n ** 64n - 1n
const ORDERED = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration'] as const
const NUMBERS = ['int', 'uint', 'double'] as const

export const OPERATORS: readonly Overload[] = [
  define('_==_(A, A): bool', (args, budget) => areEqual(any(args, 0), any(args, 1), budget)),
  define('_!=_(A, A): bool', (args, budget) => !areEqual(any(args, 0), any(args, 1), budget)),
  ...ordering('_<_', (order) => order < 0),
  ...ordering('_<=_', (order) => order <= 0),
  ...ordering('_>_', (order) => order > 0),
  ...ordering('_>=_', (order) => order >= 0),
  define('!_(bool): bool', ([value]) => (typeof value === 'boolean' ? !value : mismatch())),
  define('-_(int): int', (args) => ranged(-int(args, 0))),
  define('-_(double): double', ([value]) => (typeof value === 'number' ? -value : mismatch())),
  ...arithmetic(
    '+',
    (a, b) => a + b,
    (a, b) => a + b,
  ),
  ...arithmetic(
    '-',
    (a, b) => a - b,
    (a, b) => a - b,
  ),
  ...arithmetic(
    '*',
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  ...arithmetic(
    '/',
    (a, b) => (b === 0n ? failed('division by zero') : a / b),
    (a, b) => a / b,
  ),
  ...arithmetic('%', (a, b) => (b === 0n ? failed('modulus by zero') : a % b)),
  define('_+_(string, string): string', (args, budget) => {
    const both = text(args, 0) + text(args, 1)
    budget.spendText(both.length)
    return both
  }),
  define('_+_(bytes, bytes): bytes', ([a, b], budget) => {
    if (!(a instanceof Uint8Array && b instanceof Uint8Array)) return mismatch()
    budget.spendText(a.length + b.length)
    return new Uint8Array(Buffer.concat([a, b]))
  }),
  define('_+_(list(A), list(A)): list(A)', added),
  define('_+_(duration, duration): duration', (args) => duration(nanos(args, 0) + nanos(args, 1))),
  define('_+_(timestamp, duration): timestamp', (args) => timestamp(moment(args, 0) + nanos(args, 1))),
  define('_+_(duration, timestamp): timestamp', (args) => timestamp(nanos(args, 0) + moment(args, 1))),
  define('_-_(duration, duration): duration', (args) => duration(nanos(args, 0) - nanos(args, 1))),
  define('_-_(timestamp, duration): timestamp', (args) => timestamp(moment(args, 0) - nanos(args, 1))),
  define('_-_(timestamp, timestamp): duration', (args) => duration(moment(args, 0) - moment(args, 1))),
  define('@in(A, list(A)): bool', (args, budget) => isIn(any(args, 0), list(args, 1), budget)),
  define('@in(A, map(A, B)): bool', (args) => boxed(args, 1, 'map').get(any(args, 0)) !== undefined),
  define('_[_](list(A), int): A', (args) => {
    const [items, position] = [list(args, 0), int(args, 1)]
    const isThere = position >= 0n && position < BigInt(items.length)
    return isThere ? items.at(place(position)) : failed(`index out of bounds: ${position}`)
  }),
  define('_[_](map(A, B), A): B', (args) => {
    const key = any(args, 1)
    return boxed(args, 0, 'map').get(key) ?? failed(`no such key: ${String(key)}`)
  }),
  define('_[?_](list(A), int): optional(A)', (args) => {
    const [items, position] = [list(args, 0), int(args, 1)]
    const isThere = position >= 0n && position < BigInt(items.length)
    return { kind: 'optional', value: isThere ? items.at(place(position)) : undefined }
  }),
  define('_[?_](map(A, B), A): optional(B)', (args) => ({
    kind: 'optional',
    value: boxed(args, 0, 'map').get(any(args, 1)),
  })),
]

function ordering(name: string, holds: (order: number) => boolean): readonly Overload[] {
  const run: Run = (args, budget) => holds(compare(any(args, 0), any(args, 1), budget))
  const mixed = NUMBERS.flatMap((one) => NUMBERS.flatMap((other) => (one === other ? [] : [[one, other] as const])))
  return [...ORDERED.map((type) => [type, type] as const), ...mixed].map(([one, other]) =>
    define(`${name}(${one}, ${other}): bool`, run),
  )
}

function arithmetic(
  sign: string,
  whole: (a: bigint, b: bigint) => bigint,
  fraction?: (a: number, b: number) => number,
): readonly Overload[] {
  const name = `_${sign}_`
  return [
    define(`${name}(int, int): int`, (args) => ranged(whole(int(args, 0), int(args, 1)))),
    define(`${name}(uint, uint): uint`, (args) => {
      const value = whole(boxed(args, 0, 'uint').value, boxed(args, 1, 'uint').value)
      return value < 0n || value > MOST_UINT ? failed('unsigned integer overflow') : { kind: 'uint', value }
    }),
    ...(fraction
      ? [
          define(`${name}(double, double): double`, ([a, b]) =>
            typeof a === 'number' && typeof b === 'number' ? fraction(a, b) : mismatch(),
          ),
        ]
      : []),
  ]
}

/** Of sets and list maps, what comes second replaces what is the same. */
function added(args: Parameters<Run>[0], budget: Parameters<Run>[1]): CelValue {
  const [one, other] = [list(args, 0), list(args, 1)]
  budget.spend(one.length + other.length)
  const { identity } = one
  const [first, second] = [[...membersOf(one)], [...membersOf(other)]]
  if (identity === undefined) return listValue([...first, ...second])
  const keys = identity === 'item' ? undefined : identity
  const merged = new Map([...first, ...second].map((each) => [identityText(each, keys), each] as const))
  return { ...listValue([...merged.values()]), identity }
}

function nanos(args: readonly CelValue[], at: number): bigint {
  return boxed(args, at, 'duration').nanos
}

function moment(args: readonly CelValue[], at: number): bigint {
  return boxed(args, at, 'timestamp').nanos
}

function duration(value: bigint): CelValue {
  return { kind: 'duration', nanos: ranged(value) }
}

/** Years 1 to 9999, as RFC 3339 writes them. */
function timestamp(value: bigint): CelValue {
  const [first, last] = [-62_135_596_800_000_000_000n, 253_402_300_799_999_999_999n]
  return value < first || value > last ? failed('timestamp overflow') : { kind: 'timestamp', nanos: value }
}

function failed(message: string): never {
  throw new CelError(message)
}
