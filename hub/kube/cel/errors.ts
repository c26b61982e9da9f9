/** An expression that cannot be answered for the values at hand. The message is for the author of the rule. */
export class CelError extends Error {}

/** An expression that took more steps than it may. */
export class BudgetError extends Error {
  constructor() {
    super('operation cancelled: actual cost limit exceeded')
  }
}
