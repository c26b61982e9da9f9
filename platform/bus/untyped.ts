// A bus keeps messages of many channels in one map; the channel declaration is the only witness of their type. These two are
// the single place where that witness is taken at its word.

export function typed<T>(value: unknown): T
export function typed(value: unknown): unknown {
  return value
}

export function untyped<M>(handler: (message: M) => void): (message: unknown) => void
export function untyped<M>(handler: (message: M) => void): (message: never) => void {
  return handler
}
