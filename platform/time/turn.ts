/**
 * Runs `callback` when the events that have come in by now are handled, so that what arrives together is worked on together.
 * Not a timer: nothing waits longer than for what is there already.
 */
export function afterTurn(callback: () => void): void {
  setImmediate(callback)
}

/** Settles then. Between the parts of a long piece of work, so that nobody else waits for all of it. */
export function nextTurn(): Promise<void> {
  return new Promise(afterTurn)
}
