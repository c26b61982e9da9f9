import { BudgetError } from './errors.ts'

/** Steps of one run of one expression, and of all rules of one object (as an API server bounds them). */
export const MOST_OF_RULE = 1_000_000
export const MOST_OF_OBJECT = 10_000_000

/** What a run may still spend. One step is about the reading of one field, or the look at ten characters. */
export class Budget {
  readonly #most: number
  #spent = 0

  constructor(most: number) {
    this.#most = most
  }

  get spent(): number {
    return this.#spent
  }

  /** Throws a BudgetError. */
  spend(steps: number): void {
    this.#spent += steps
    if (this.#spent > this.#most) throw new BudgetError()
  }

  /** For a look at a text, or what is as long. */
  spendText(length: number): void {
    this.spend(Math.ceil(length / 10))
  }
}
