/** A length of time that cannot be mistaken for a count. Made by ms, seconds and minutes. */
export interface Duration {
  readonly milliseconds: number
}

export function ms(count: number): Duration {
  return { milliseconds: count }
}

export function seconds(count: number): Duration {
  return { milliseconds: count * 1000 }
}

export function minutes(count: number): Duration {
  return { milliseconds: count * 60_000 }
}
