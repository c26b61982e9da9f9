import { isSame } from '../schema/json.ts'
import type { Budget } from './budget.ts'
import { type CelValue, identityText, isBoxed, type ListValue, type MapValue, membersOf } from './values.ts'

/** Numbers are equal by value, whatever their types; lists and maps by their members. */
export function areEqual(one: CelValue, other: CelValue, budget: Budget): boolean {
  budget.spend(1)
  const [a, b] = [numberOf(one), numberOf(other)]
  if (a !== undefined && b !== undefined) return orderOfNumbers(a, b) === 0
  if (typeof one === 'string' && typeof other === 'string') {
    budget.spendText(Math.min(one.length, other.length))
    return one === other
  }
  if (one instanceof Uint8Array || other instanceof Uint8Array) {
    return one instanceof Uint8Array && other instanceof Uint8Array && Buffer.compare(one, other) === 0
  }
  if (!isBoxed(one) || !isBoxed(other)) return one === other
  if (one.kind === 'list' && other.kind === 'list') return areListsEqual(one, other, budget)
  if (one.kind === 'map' && other.kind === 'map') return areMapsEqual(one, other, budget)
  if (one.kind === 'object' && other.kind === 'object') {
    const size = JSON.stringify(one.json).length
    budget.spendText(size)
    return isSame(one.json, other.json)
  }
  if (one.kind === 'optional' && other.kind === 'optional') {
    if (one.value === undefined || other.value === undefined) return one.value === other.value
    return areEqual(one.value, other.value, budget)
  }
  if (one.kind === 'type' && other.kind === 'type') return one.name === other.name
  return one.kind === other.kind && compare(one, other, budget) === 0
}

/** Below 0, 0, above 0; NaN where there is no order. */
export function compare(one: CelValue, other: CelValue, budget: Budget): number {
  budget.spend(1)
  const [a, b] = [orderOf(one), orderOf(other)]
  if (a !== undefined && b !== undefined) return orderOfNumbers(a, b)
  if (typeof one === 'string' && typeof other === 'string') {
    budget.spendText(Math.min(one.length, other.length))
    return Buffer.compare(Buffer.from(one), Buffer.from(other))
  }
  if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other)
  if (isBoxed(one) && isBoxed(other)) {
    if (one.kind === 'semver' && other.kind === 'semver') return compareVersions(one, other)
    if (one.kind === 'ip' && other.kind === 'ip' && one.family === other.family) return sign(one.bits - other.bits)
    if (one.kind === 'cidr' && other.kind === 'cidr') {
      return one.length - other.length || compare(one.ip, other.ip, budget)
    }
    if (one.kind === 'url' && other.kind === 'url') return one.text === other.text ? 0 : Number.NaN
    if (one.kind === 'format' && other.kind === 'format') return one.name === other.name ? 0 : Number.NaN
  }
  return Number.NaN
}

export function isIn(value: CelValue, members: ListValue, budget: Budget): boolean {
  for (const member of membersOf(members)) if (areEqual(value, member, budget)) return true
  return false
}

type Version = { readonly numbers: readonly bigint[]; readonly pre: readonly string[] }

/** Also between whole numbers and others; NaN has no place among them. */
function orderOfNumbers(a: bigint | number, b: bigint | number): number {
  if (a < b) return -1
  if (a > b) return 1
  return Number.isNaN(a) || Number.isNaN(b) ? Number.NaN : 0
}

/** Semantic Versioning 2.0.0, item 11. */
function compareVersions(one: Version, other: Version): number {
  for (const [index, number] of one.numbers.entries()) {
    const order = sign(number - (other.numbers[index] ?? 0n))
    if (order !== 0) return order
  }
  if (one.pre.length === 0 || other.pre.length === 0) return other.pre.length - one.pre.length
  for (const [index, part] of one.pre.entries()) {
    const rival = other.pre[index]
    if (rival === undefined) return 1
    const order = comparePrerelease(part, rival)
    if (order !== 0) return order
  }
  return one.pre.length - other.pre.length
}

function comparePrerelease(part: string, rival: string): number {
  const [isNumber, isRivalNumber] = [/^\d+$/.test(part), /^\d+$/.test(rival)]
  if (isNumber && isRivalNumber) return sign(BigInt(part) - BigInt(rival))
  if (isNumber !== isRivalNumber) return isNumber ? -1 : 1
  return part < rival ? -1 : part > rival ? 1 : 0
}

function sign(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0
}

function areListsEqual(one: ListValue, other: ListValue, budget: Budget): boolean {
  if (one.length !== other.length) return false
  const identity = one.identity ?? other.identity
  if (identity !== undefined) {
    // Neither has twins: the schema saw to it.
    const key = identity === 'item' ? undefined : identity
    budget.spend(one.length + other.length)
    const rivals = new Map([...membersOf(other)].map((each) => [identityText(each, key), each] as const))
    return [...membersOf(one)].every((each) => {
      const rival = rivals.get(identityText(each, key))
      return rival !== undefined && areEqual(each, rival, budget)
    })
  }
  for (let position = 0; position < one.length; position++) {
    if (!areEqual(one.at(position), other.at(position), budget)) return false
  }
  return true
}

function areMapsEqual(one: MapValue, other: MapValue, budget: Budget): boolean {
  if (one.keys.length !== other.keys.length) return false
  return one.keys.every((key) => {
    const [value, rival] = [one.get(key), other.get(key)]
    return value !== undefined && rival !== undefined && areEqual(value, rival, budget)
  })
}

function numberOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') return value
  return isBoxed(value) && value.kind === 'uint' ? value.value : undefined
}

function orderOf(value: CelValue): bigint | number | undefined {
  if (typeof value === 'boolean') return value ? 1 : 0
  if (!isBoxed(value)) return numberOf(value)
  if (value.kind === 'timestamp' || value.kind === 'duration') return value.nanos
  return value.kind === 'quantity' ? value.amount : numberOf(value)
}
