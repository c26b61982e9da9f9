import { fifteen, isSafe, minus, over, plus, type Rational, rational, times, toValue } from './rational.ts'
import { shortestFloat } from './shortest-float.ts'

/** Engineering value = raw * slope + shift. Exact for integers; without digits that nobody measured for the rest. */
export class Linear {
  static readonly same = new Linear(rational(1n), rational(0n))

  readonly slope: Rational
  readonly shift: Rational
  /** (raw * p + q) / d in doubles, where that is exact. */
  readonly #fast: { readonly p: number; readonly q: number; readonly d: number } | undefined
  readonly #p: bigint
  readonly #q: bigint
  readonly #d: bigint

  constructor(slope: Rational, shift: Rational) {
    this.slope = slope
    this.shift = shift
    this.#d = slope.d * shift.d
    this.#p = slope.n * shift.d
    this.#q = shift.n * slope.d
    const isFast = isSafe(this.#p) && isSafe(this.#q) && isSafe(this.#d)
    this.#fast = isFast ? { p: Number(this.#p), q: Number(this.#q), d: Number(this.#d) } : undefined
  }

  get isSame(): boolean {
    return this.slope.n === 1n && this.slope.d === 1n && this.shift.n === 0n
  }

  /** First this, then another. */
  followedBy(other: Linear): Linear {
    return new Linear(times(this.slope, other.slope), plus(times(this.shift, other.slope), other.shift))
  }

  apply(raw: number | bigint): number | bigint {
    if (this.isSame) return raw
    if (typeof raw === 'number') {
      if (!Number.isSafeInteger(raw)) return this.#applyToFraction(raw)
      const quick = this.#quick(raw)
      if (quick !== undefined) return quick
    }
    return toValue(rational(BigInt(raw) * this.#p + this.#q, this.#d))
  }

  /** The raw value, exactly. */
  invert(value: Rational): Rational {
    return over(minus(value, this.shift), this.slope)
  }

  #quick(raw: number): number | undefined {
    if (!this.#fast) return undefined
    const { p, q, d } = this.#fast
    const product = raw * p
    const sum = product + q
    return Number.isSafeInteger(product) && Number.isSafeInteger(sum) ? sum / d : undefined
  }

  #applyToFraction(raw: number): number {
    const value = shortestFloat(raw) ?? raw
    return fifteen((value * Number(this.#p) + Number(this.#q)) / Number(this.#d))
  }
}
