/** How the value of a simulated property moves. Times in seconds. */
export type Behaviour =
  /** Stays as it is; `value` is the text of its first value. */
  | { readonly kind: 'hold'; readonly value?: string }
  /** Goes where `source` is, with the inertia of a first-order lag; to 0 while the property `gate` is not true. */
  | { readonly kind: 'follow'; readonly source: Linear; readonly seconds: number; readonly gate?: string }
  | { readonly kind: 'sine'; readonly low: number; readonly high: number; readonly seconds: number }
  /** A random walk that crosses its range in about so many seconds. */
  | { readonly kind: 'walk'; readonly low: number; readonly high: number; readonly seconds: number }
  /** Counts up by `rate` a second; begins again at 0 past the maximum. */
  | { readonly kind: 'count'; readonly rate: Linear }
  /** True above (below) `on`, until `source` has come back to `off`. */
  | { readonly kind: 'above' | 'below'; readonly source: string; readonly on: number; readonly off: number }
  /** One value after the other, each for so many seconds. */
  | { readonly kind: 'cycle'; readonly seconds: number; readonly values: readonly string[] }
  /** Another behaviour, with up to so much of noise on it. */
  | { readonly kind: 'noisy'; readonly inner: Behaviour; readonly amount: number }

/** `factor * property + offset`, or the bare offset. */
export interface Linear {
  readonly factor: number
  readonly property?: string
  readonly offset: number
}

/** The properties that this one looks at. */
export function sourcesOf(behaviour: Behaviour): readonly string[] {
  switch (behaviour.kind) {
    case 'follow':
      return [behaviour.source.property, behaviour.gate].filter((name) => name !== undefined)
    case 'count':
      return behaviour.rate.property === undefined ? [] : [behaviour.rate.property]
    case 'above':
    case 'below':
      return [behaviour.source]
    case 'noisy':
      return sourcesOf(behaviour.inner)
    default:
      return []
  }
}
