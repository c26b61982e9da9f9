export const PROBE_TYPES = ['startup', 'liveness', 'readiness'] as const
export type ProbeType = (typeof PROBE_TYPES)[number]

/** What one question brought. `warning` is a success with something to tell; nobody knows after `unknown`, which counts for nothing. */
export interface Verdict {
  readonly result: 'success' | 'warning' | 'failure' | 'unknown'
  /** For people. */
  readonly text: string
}

export const success: Verdict = { result: 'success', text: '' }

export function failure(text: string): Verdict {
  return { result: 'failure', text }
}

export interface Thresholds {
  readonly successThreshold: number
  readonly failureThreshold: number
}

/** Makes a result of verdicts: it changes when enough of one kind have come after each other. */
export class Tally {
  readonly #thresholds: Thresholds
  #holds: boolean
  #last: boolean | undefined
  #run = 0

  constructor(holds: boolean, thresholds: Thresholds) {
    this.#holds = holds
    this.#thresholds = thresholds
  }

  get holds(): boolean {
    return this.#holds
  }

  /** True where it is settled by this verdict, anew or as before. */
  take({ result }: Verdict): boolean {
    if (result === 'unknown') return false
    const isGood = result !== 'failure'
    this.#run = this.#last === isGood ? this.#run + 1 : 1
    this.#last = isGood
    const { successThreshold, failureThreshold } = this.#thresholds
    if (this.#run < (isGood ? successThreshold : failureThreshold)) return false
    this.#holds = isGood
    return true
  }
}
