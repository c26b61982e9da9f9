import type { Bench } from './bench.ts'

/** One promise of the contract, tried against a real server. */
export interface Check {
  /** What a mapper does that passes, e.g. "throws on a link that died while nobody looked". */
  readonly name: string
  /** What its author does about a failure. */
  readonly advice: string
  run(bench: Bench): Promise<void>
}
