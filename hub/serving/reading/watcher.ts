import type { Change, ChangeLog, WatchEvent } from '../../kube/watch/index.ts'

/** What one watch still has to tell. Disposing it stops listening. */
export interface Watcher extends Disposable {
  readonly isEnded: boolean
  /** Puts changes of the past before those that came since. */
  replay(past: readonly Change[]): void
  /** Asks for a bookmark once everything else is told. */
  remind(): void
  end(): void
  /** Settles with the promise, or when the watch ends. One at a time. */
  unlessEnded(waiting: Promise<void>): Promise<void>
  /** Events in order, a number for a bookmark of that version, until the watch ends. */
  steps(): AsyncIterable<WatchEvent | number>
}

export interface WatcherOptions {
  readonly log: ChangeLog
  /** The highest version that is visible now. */
  readonly version: () => number
  /** What the watch tells of a change; undefined where that does not concern it. Must not throw. */
  readonly eventFor: (change: Change) => WatchEvent | undefined
  readonly signal: AbortSignal
  /** Told when the watch ends because its client is too far behind. */
  readonly onBehind?: () => void
}

/**
 * Of events that wait for a client that reads slowly, and of their text. A client that is further behind is cut off, and comes
 * back with the last version it saw.
 */
const MOST_WAITING = 10_000
const MOST_BYTES = 16 * 1024 * 1024

export function createWatcher({ log, version, eventFor, signal, onBehind }: WatcherOptions): Watcher {
  let waiting: WatchEvent[] = []
  let bytes = 0
  let isReminded = false
  let isEnded = signal.aborted
  let awake = Promise.withResolvers<void>()
  let onEnd = () => {}
  const wake = () => awake.resolve()
  const end = () => {
    isEnded = true
    onEnd()
    wake()
  }
  const listening = log.listen((change, size) => {
    const event = isEnded ? undefined : eventFor(change)
    if (!event) return
    bytes += size
    if (waiting.push(event) <= MOST_WAITING && bytes <= MOST_BYTES) return wake()
    waiting = []
    onBehind?.()
    end()
  })
  signal.addEventListener('abort', end, { once: true })

  async function* steps() {
    while (!isEnded) {
      const batch = waiting
      waiting = []
      bytes = 0
      for (const event of batch) {
        if (isEnded) return
        yield event
      }
      if (waiting.length > 0) continue
      if (isReminded) {
        isReminded = false
        // Asked here, where nothing waits: a bookmark never runs ahead of an event.
        yield version()
        continue
      }
      await awake.promise
      awake = Promise.withResolvers()
    }
  }

  return {
    get isEnded() {
      return isEnded
    },
    replay(past) {
      waiting = [...past.map(eventFor).filter((event) => event !== undefined), ...waiting]
      wake()
    },
    remind() {
      isReminded = true
      wake()
    },
    end,
    unlessEnded(promise) {
      // Not a race against one promise of the end: that would remember each wait for as long as the watch lasts.
      const { promise: settled, resolve } = Promise.withResolvers<void>()
      onEnd = resolve
      if (isEnded) resolve()
      promise.then(resolve, resolve)
      return settled
    },
    steps,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', end)
      listening[Symbol.dispose]()
    },
  }
}
