/** A message that was given up. */
export interface DeadLetter {
  /** Unix ms. */
  readonly time: number
  readonly node: string
  /** On which it was published, or the URL that was called. */
  readonly topic: string
  readonly id: string
  readonly reason: string
  readonly payload: Uint8Array
}

/** Told of what became of each message and call of a rule. */
export interface Tally {
  delivered(key: string): void
  /** `onWritten`: it is in the status of the rule, or nobody will ever read it there. */
  failed(key: string, reason: string, deadLetter?: DeadLetter, onWritten?: () => void): void
  /** Messages wait, and are tried again. */
  waits(key: string, reason: string): void
}
