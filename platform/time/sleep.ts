/** Settles when the timer that `start` starts has fired, or rejects with the signal's reason. */
export function sleepBy(start: (fire: () => void) => Disposable, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      timer[Symbol.dispose]()
      reject(signal?.reason)
    }
    const timer = start(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
