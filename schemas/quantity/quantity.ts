import type { Json } from '../device/index.ts'

/** An amount of something in billionths, which is the finest that Kubernetes knows. Exact for all amounts. */
export type Quantity = bigint

const NANO = 1_000_000_000n
const TEXT = /^([+-]?)(\d*)(?:\.(\d*))?(?:(Ki|Mi|Gi|Ti|Pi|Ei|[numkMGTPE])|[eE]([+-]?\d{1,3}))?$/
const BINARY: Readonly<Record<string, bigint>> = {
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
}
/** Powers of ten. */
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 }
/** Longer texts, or larger powers, are amounts that nobody has. */
const LONGEST = 64
const MOST_EXPONENT = 64

/**
 * Reads `1`, `0.5`, `500m`, `1e3`, `2Gi` (Kubernetes, resource.Quantity). What is finer than a billionth is rounded away from
 * zero, as there. Undefined for anything else.
 */
export function parseQuantity(value: Json | undefined): Quantity | undefined {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || text.length > LONGEST) return undefined
  const parts = TEXT.exec(text)
  if (!parts) return undefined
  const [, sign = '', whole = '', fraction = '', unit = '', exponent = '0'] = parts
  if (whole === '' && fraction === '') return undefined
  const digits = BigInt(whole + fraction)
  const binary = BINARY[unit]
  const power = (DECIMAL[unit] ?? Number(exponent)) - fraction.length
  if (Math.abs(power) > MOST_EXPONENT) return undefined
  const amount = scaled(digits * NANO * (binary ?? 1n), power)
  return sign === '-' ? -amount : amount
}

/** The amount of a field; nothing where there is none that can be read. */
export function quantityOr(value: Json | undefined, other: Quantity = 0n): Quantity {
  return parseQuantity(value) ?? other
}

/** Whole things, rounded up. */
export function wholeOf(quantity: Quantity): bigint {
  return (quantity + NANO - 1n) / NANO
}

export function quantityOf(whole: number): Quantity {
  return BigInt(Math.trunc(whole)) * NANO
}

function scaled(amount: bigint, power: number): bigint {
  if (power >= 0) return amount * 10n ** BigInt(power)
  const divisor = 10n ** BigInt(-power)
  return (amount + divisor - 1n) / divisor
}
