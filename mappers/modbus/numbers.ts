import type { PropertyValue } from '../contract/index.ts'

/** 123 times 0.1 is 12.3, not 12.300000000000001: doubles carry 15 digits that a person can mean. */
function tidy(value: number): number {
  return Number(value.toPrecision(15))
}

export function scaled(raw: number, scale: number): number {
  return scale === 1 ? raw : tidy(raw * scale)
}

/** Throws where the product is beyond all numbers. */
export function scaledFloat(raw: number, scale: number): number {
  const value = scale === 1 ? raw : raw * scale
  if (!Number.isFinite(value)) throw new RangeError(`${raw} times the scale ${scale} is too large`)
  return value
}

/** A bigint only where a number would lose digits. */
export function scaledBig(raw: bigint, scale: number): number | bigint {
  if (scale === 1) return Number.isSafeInteger(Number(raw)) ? Number(raw) : raw
  // Exact as long as the factor is a whole number.
  if (Number.isSafeInteger(scale)) return scaledBig(raw * BigInt(scale), 1)
  return tidy(Number(raw) * scale)
}

/** What the registers have to hold. Throws for what lies between two steps. */
export function unscaled(value: PropertyValue, scale: number): bigint {
  const whole = wholeOf(value)
  if (whole !== undefined && Number.isSafeInteger(scale)) {
    const factor = BigInt(scale)
    if (whole % factor === 0n) return whole / factor
    throw new RangeError(`${value} is not a multiple of the scale ${scale}`)
  }
  const wanted = numberOf(value) / scale
  const raw = Math.round(wanted)
  // The quotient of two doubles is off by a few of their last digits, not by more.
  if (!Number.isFinite(wanted) || Math.abs(wanted - raw) > Math.max(1e-9, 1e-14 * Math.abs(raw))) {
    throw new RangeError(`${value} is not a multiple of the scale ${scale}`)
  }
  return BigInt(raw)
}

export function unscaledFloat(value: PropertyValue, scale: number): number {
  return scale === 1 ? numberOf(value) : numberOf(value) / scale
}

export function numberOf(value: PropertyValue): number {
  if (typeof value === 'boolean') return value ? 1 : 0
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
  if (Number.isNaN(number)) throw new TypeError(`${String(value)} is not a number`)
  return number
}

/** Integers of any size without a detour over a double. */
function wholeOf(value: PropertyValue): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'string')
    return /^\s*[+-]?\d+\s*$/.test(value) ? BigInt(value.trim().replace(/^\+/, '')) : undefined
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : undefined
}
