export interface Range {
  readonly first: number
  readonly last: number
}

/** Whole numbers, in whatever order, as runs of which each number is among them. */
export function rangesOf(numbers: readonly number[]): readonly Range[] {
  const ranges: { first: number; last: number }[] = []
  for (const each of numbers.toSorted((one, other) => one - other)) {
    const run = ranges.at(-1)
    if (run && each <= run.last + 1) run.last = each
    else ranges.push({ first: each, last: each })
  }
  return ranges
}
