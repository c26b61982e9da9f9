import { parseQuantity } from '../../../../schemas/index.ts'
import { compare } from '../compare.ts'
import { CelError } from '../errors.ts'
import type { CelValue } from '../values.ts'
import { any, boxed, int, text } from './arguments.ts'
import { define, type Overload, type Run } from './signature.ts'

type Values = Parameters<Run>[0]
type Spender = Parameters<Run>[1]

const NANO = 1_000_000_000n
const MOST_INT = 2n ** 63n - 1n

/** Quantities and semantic versions (Kubernetes, "CEL in Kubernetes"). */
export const AMOUNTS: readonly Overload[] = [
  define('isQuantity(string): bool', (args) => parseQuantity(text(args, 0)) !== undefined),
  define('quantity(string): quantity', (args) => {
    const amount = parseQuantity(text(args, 0))
    if (amount === undefined) {
      throw new CelError("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
    }
    return { kind: 'quantity', amount }
  }),
  define('quantity -> sign(): int', (args) => sign(amount(args, 0))),
  define('quantity -> isInteger(): bool', (args) => isWhole(amount(args, 0))),
  define('quantity -> asInteger(): int', (args) => {
    if (!isWhole(amount(args, 0))) throw new CelError('cannot convert value to integer')
    return amount(args, 0) / NANO
  }),
  define('quantity -> asApproximateFloat(): double', (args) => Number(amount(args, 0)) / Number(NANO)),
  define('quantity -> isGreaterThan(quantity): bool', (args) => amount(args, 0) > amount(args, 1)),
  define('quantity -> isLessThan(quantity): bool', (args) => amount(args, 0) < amount(args, 1)),
  define('quantity -> compareTo(quantity): int', (args) => sign(amount(args, 0) - amount(args, 1))),
  define('quantity -> add(quantity): quantity', (args) => quantity(amount(args, 0) + amount(args, 1))),
  define('quantity -> add(int): quantity', (args) => quantity(amount(args, 0) + int(args, 1) * NANO)),
  define('quantity -> sub(quantity): quantity', (args) => quantity(amount(args, 0) - amount(args, 1))),
  define('quantity -> sub(int): quantity', (args) => quantity(amount(args, 0) - int(args, 1) * NANO)),
  define('isSemver(string): bool', (args) => parseSemver(text(args, 0), false) !== undefined),
  define('isSemver(string, bool): bool', (args) => parseSemver(text(args, 0), args[1] === true) !== undefined),
  define('semver(string): semver', (args) => semver(text(args, 0), false)),
  define('semver(string, bool): semver', (args) => semver(text(args, 0), args[1] === true)),
  define('semver -> major(): int', (args) => boxed(args, 0, 'semver').numbers[0]),
  define('semver -> minor(): int', (args) => boxed(args, 0, 'semver').numbers[1]),
  define('semver -> patch(): int', (args) => boxed(args, 0, 'semver').numbers[2]),
  define('semver -> compareTo(semver): int', (args, budget) => order(args, budget)),
  define('semver -> isLessThan(semver): bool', (args, budget) => order(args, budget) < 0n),
  define('semver -> isGreaterThan(semver): bool', (args, budget) => order(args, budget) > 0n),
]

function amount(args: Values, at: number): bigint {
  return boxed(args, at, 'quantity').amount
}

function quantity(value: bigint): CelValue {
  return { kind: 'quantity', amount: value }
}

function sign(value: bigint): bigint {
  return value < 0n ? -1n : value > 0n ? 1n : 0n
}

function isWhole(value: bigint): boolean {
  return value % NANO === 0n && value / NANO <= MOST_INT && value / NANO >= -MOST_INT - 1n
}

function order(args: Values, budget: Spender): bigint {
  return BigInt(Math.sign(compare(any(args, 0), any(args, 1), budget)))
}

function semver(value: string, isLoose: boolean): CelValue {
  const parsed = parseSemver(value, isLoose)
  if (!parsed) throw new CelError(`semver parse error during conversion from string: ${JSON.stringify(value)}`)
  return parsed
}

/** Semantic Versioning 2.0.0; loose texts may begin with v, leave out parts, and have zeros before. */
function parseSemver(value: string, isLoose: boolean): CelValue | undefined {
  const cleaned = isLoose ? completed(value) : value
  const parts = /^(\d+)\.(\d+)\.(\d+)(?:-([0-9A-Za-z.-]+))?(?:\+([0-9A-Za-z.-]+))?$/.exec(cleaned)
  if (!parts || value.length > 256) return undefined
  const [, major = '', minor = '', patch = '', pre = ''] = parts
  if ([major, minor, patch].some((each) => each.length > 1 && each.startsWith('0'))) return undefined
  const labels = pre === '' ? [] : pre.split('.')
  if (labels.some((each) => each === '' || /^0\d+$/.test(each))) return undefined
  return { kind: 'semver', numbers: [BigInt(major), BigInt(minor), BigInt(patch)], pre: labels }
}

function completed(value: string): string {
  const [, head = '', rest = ''] = /^v?([\d.]*)(.*)$/.exec(value) ?? []
  const numbers = head.split('.').map((each) => each.replace(/^0+(?=\d)/, ''))
  while (numbers.length < 3) numbers.push('0')
  return numbers.join('.') + rest
}
