/** An exact fraction in lowest terms; the denominator is positive. */
export interface Rational {
  readonly n: bigint
  readonly d: bigint
}

const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/
/** Beyond what a double can be. */
const LARGEST_EXPONENT = 400

export function rational(n: bigint, d: bigint = 1n): Rational {
  const divisor = gcd(n < 0n ? -n : n, d < 0n ? -d : d)
  const sign = d < 0n ? -1n : 1n
  return divisor === 0n ? { n: 0n, d: 1n } : { n: (sign * n) / divisor, d: (sign * d) / divisor }
}

/** What a decimal spells, digit by digit: 0.1 is one tenth. */
export function exactly(decimal: number | string): Rational {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(String(decimal)) ?? []
  const digits = BigInt(`${whole}${fraction}` || '0') * (sign === '-' ? -1n : 1n)
  const shift = Math.max(-LARGEST_EXPONENT, Math.min(LARGEST_EXPONENT, Number(exponent))) - fraction.length
  return shift >= 0 ? rational(digits * 10n ** BigInt(shift)) : rational(digits, 10n ** BigInt(-shift))
}

export function plus(left: Rational, right: Rational): Rational {
  return rational(left.n * right.d + right.n * left.d, left.d * right.d)
}

export function minus(left: Rational, right: Rational): Rational {
  return plus(left, { n: -right.n, d: right.d })
}

export function times(left: Rational, right: Rational): Rational {
  return rational(left.n * right.n, left.d * right.d)
}

export function over(left: Rational, right: Rational): Rational {
  return rational(left.n * right.d, left.d * right.n)
}

/** The next integer below, or itself. */
export function floor({ n, d }: Rational): bigint {
  const quotient = n / d
  return n < 0n && quotient * d !== n ? quotient - 1n : quotient
}

export function round(value: Rational): bigint {
  return floor(plus(value, { n: 1n, d: 2n }))
}

/** An integer as a number where that holds every digit; else the nearest double, or its first 15 digits. */
export function toValue({ n, d }: Rational): number | bigint {
  if (d === 1n) return toSmall(n)
  if (isSafe(n) && isSafe(d)) return Number(n) / Number(d)
  const whole = n / d
  const [rest, scale] = shrunk(n - whole * d, d)
  return fifteen(Number(whole) + Number(rest) / Number(scale))
}

export function toSmall(value: bigint): number | bigint {
  return isSafe(value) ? Number(value) : value
}

/** Without the noise that arithmetic with doubles leaves in the last digits. */
export function fifteen(value: number): number {
  return Number(value.toPrecision(15))
}

export function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
}

const MOST_BITS = 900

/** Both, so much smaller that they are doubles. */
function shrunk(n: bigint, d: bigint): readonly [bigint, bigint] {
  const excess = d.toString(16).length * 4 - MOST_BITS
  return excess > 0 ? [n >> BigInt(excess), d >> BigInt(excess)] : [n, d]
}

function gcd(a: bigint, b: bigint): bigint {
  let [left, right] = [a, b]
  while (right !== 0n) [left, right] = [right, left % right]
  return left
}
