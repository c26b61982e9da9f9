/** One line of a benchmark: what, how much, and how that stands to something else in the same run. */
export function row(name: string, figure: string, ratio = ''): void {
  process.stdout.write(`${name.padEnd(52)} ${figure.padEnd(40)} ${ratio}\n`)
}

export function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** What else the machine does spoils some, not half of them. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
