import type { Setup } from './setup.ts'

/** warn: it works, and somebody should look. fail: something does not work. */
export type Outcome = 'ok' | 'warn' | 'fail'

export interface Finding {
  readonly outcome: Outcome
  /** What was found, one sentence. */
  readonly message: string
  /** What to do, where it is not ok; several lines where a file has to be changed. */
  readonly advice?: string
}

/** One thing to look at. It changes nothing, and ends with the signal. No finding: it does not concern this machine. */
export interface Check {
  readonly name: string
  run(setup: Setup, signal: AbortSignal): Promise<readonly Finding[]>
}

export interface NamedFinding extends Finding {
  readonly check: string
}

export const ok = (message: string): Finding => ({ outcome: 'ok', message })
export const warn = (message: string, advice: string): Finding => ({ outcome: 'warn', message, advice })
export const fail = (message: string, advice: string): Finding => ({ outcome: 'fail', message, advice })
