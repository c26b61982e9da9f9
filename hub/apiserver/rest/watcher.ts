import type { Change, ChangeLog } from '../../kube/watch/index.ts'

/** What one watch still has to tell. Disposing it stops listening. */
export interface Watcher extends Disposable {
  readonly isEnded: boolean
  /** Settles when the watch ends. */
  readonly ended: Promise<void>
  /** Puts changes of the past before those that came since. */
  replay(past: readonly Change[]): void
  /** Asks for a bookmark once everything else is told. */
  remind(): void
  end(): void
  /** Changes in order, a number for a bookmark of that version, until the watch ends. */
  steps(): AsyncIterable<Change | number>
}

export interface WatcherOptions {
  readonly log: ChangeLog
  /** The highest version that is visible now. */
  readonly version: () => number
  readonly isConcerned: (key: string) => boolean
  readonly signal: AbortSignal
}

/**
 * Of changes that wait for a client that reads slowly. They are references to what is in memory anyway. A client that is
 * further behind is cut off, and comes back with the last version it saw.
 */
const MOST_WAITING = 10_000

export function createWatcher({ log, version, isConcerned, signal }: WatcherOptions): Watcher {
  let waiting: Change[] = []
  let isReminded = false
  let isEnded = signal.aborted
  const ended = Promise.withResolvers<void>()
  if (isEnded) ended.resolve()
  let awake = Promise.withResolvers<void>()
  const wake = () => awake.resolve()
  const end = () => {
    isEnded = true
    ended.resolve()
    wake()
  }
  const listening = log.listen((change) => {
    if (!isConcerned(change.key)) return
    if (waiting.push(change) > MOST_WAITING) end()
    else wake()
  })
  signal.addEventListener('abort', end, { once: true })

  async function* steps() {
    while (!isEnded) {
      const batch = waiting
      waiting = []
      for (const change of batch) {
        if (isEnded) return
        yield change
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
    ended: ended.promise,
    replay(past) {
      waiting = [...past.filter(({ key }) => isConcerned(key)), ...waiting]
      wake()
    },
    remind() {
      isReminded = true
      wake()
    },
    end,
    steps,
    [Symbol.dispose]() {
      signal.removeEventListener('abort', end)
      listening[Symbol.dispose]()
    },
  }
}
