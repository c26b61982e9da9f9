import type { Scheduler } from './scheduler.ts'

/** What happened, line by line. Its hash tells whether two histories are the same; lines are kept only where somebody reads. */
export class Trace {
  readonly #scheduler: Scheduler
  readonly #lines: string[] | undefined
  #low = 0x811c9dc5
  #high = 0x1b873593
  #count = 0

  constructor(scheduler: Scheduler, keepsLines: boolean) {
    this.#scheduler = scheduler
    this.#lines = keepsLines ? [] : undefined
  }

  get lines(): readonly string[] {
    return this.#lines ?? []
  }

  /** Whether lines are kept: what only people read need not be made otherwise. */
  get isRead(): boolean {
    return this.#lines !== undefined
  }

  get count(): number {
    return this.#count
  }

  get hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, '0') + (this.#low >>> 0).toString(16).padStart(8, '0')
  }

  note(who: string, what: string): void {
    this.#count++
    const { now } = this.#scheduler
    this.#mix(now * 1000)
    this.#mixText(who)
    this.#mixText(what)
    this.remark(who, what)
  }

  /** For people alone: it does not tell one history from another. */
  remark(who: string, what: string): void {
    this.#lines?.push(`${(this.#scheduler.now / 1000).toFixed(4).padStart(9)}  ${who.padEnd(8)} ${what}`)
  }

  #mixText(text: string): void {
    for (let at = 0; at < text.length; at++) this.#mix(text.charCodeAt(at))
  }

  /** FNV-1a beside a second multiplier. */
  #mix(value: number): void {
    this.#low = Math.imul(this.#low ^ value, 0x01000193)
    this.#high = Math.imul(this.#high ^ value, 0x5bd1e995) + 0x3ade68b1
  }
}
