/** Aborts when the process is asked to stop; the only place that listens to signals. */
export function stopSignal(onSecond: () => void): AbortSignal {
  const controller = new AbortController()
  const stop = (why: string) => {
    if (controller.signal.aborted) return onSecond()
    controller.abort(new Error(`stopped by ${why}`))
  }
  process.on('SIGINT', () => stop('SIGINT'))
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGHUP', () => stop('SIGHUP'))
  // A child of `skerry up` does not outlive it, however it ended.
  if (process.connected) {
    process.once('disconnect', () => stop('the end of its supervisor'))
    // Listening keeps the channel, and with it the process, alive beyond its work.
    process.channel?.unref()
  }
  return controller.signal
}

/** Settles when the signal aborts, at once where it has. */
export function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
