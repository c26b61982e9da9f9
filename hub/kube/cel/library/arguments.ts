import { CelError } from '../errors.ts'
import { type Boxed, type CelValue, isBoxed, type ListValue, membersOf } from '../values.ts'

/** What stands at a place of the arguments, as the type that the signature says. */
export function text(args: readonly CelValue[], place: number): string {
  const value = args[place]
  return typeof value === 'string' ? value : mismatch()
}

export function int(args: readonly CelValue[], place: number): bigint {
  const value = args[place]
  return typeof value === 'bigint' ? value : mismatch()
}

export function boxed<K extends Boxed['kind']>(
  args: readonly CelValue[],
  place: number,
  kind: K,
): Extract<Boxed, { readonly kind: K }> {
  const value = args[place]
  return value !== undefined && isBoxed(value) && isOf(value, kind) ? value : mismatch()
}

export function list(args: readonly CelValue[], place: number): ListValue {
  return boxed(args, place, 'list')
}

/** All members; a caller pays for them. */
export function members(args: readonly CelValue[], place: number): readonly CelValue[] {
  return [...membersOf(list(args, place))]
}

export function any(args: readonly CelValue[], place: number): CelValue {
  const value = args[place]
  return value === undefined ? mismatch() : value
}

/** Throws a CelError where a number of 64 bits cannot hold it. */
export function ranged(value: bigint): bigint {
  if (value !== BigInt.asIntN(64, value)) throw new CelError('integer overflow')
  return value
}

/** A number of a script: places in texts and lists. */
export function place(value: bigint): number {
  return value > 2n ** 31n || value < -(2n ** 31n) ? 2 ** 31 : Number(value)
}

export function mismatch(): never {
  throw new CelError('no such overload')
}

function isOf<K extends Boxed['kind']>(value: Boxed, kind: K): value is Extract<Boxed, { readonly kind: K }> {
  return value.kind === kind
}
