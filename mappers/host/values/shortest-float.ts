/** Digits that any decimal keeps in a 32-bit float, and those that tell all of them apart. */
const SURE = 6
const MOST = 9

/** The shortest decimal that is the same 32-bit float: 24.1, not 24.100000381469727. Undefined where the value is none. */
export function shortestFloat(value: number): number | undefined {
  if (Math.fround(value) !== value) return undefined
  for (let digits = SURE; digits < MOST; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}
