/**
 * Calls `tell` with the reason of whichever signal aborts first, at once where one has. Disposing forgets all of it: a line
 * lives for weeks, and what waits for its end meanwhile must not pile up, as reactions of a promise would.
 */
export function onAbort(signals: readonly AbortSignal[], tell: (reason: unknown) => void): Disposable {
  const over = new AbortController()
  for (const signal of signals) {
    if (signal.aborted) tell(signal.reason)
    else signal.addEventListener('abort', () => tell(signal.reason), { once: true, signal: over.signal })
  }
  return { [Symbol.dispose]: () => over.abort() }
}
