/** Entries to write; undefined takes one away. */
export type Edits<T> = Readonly<Record<string, T | undefined>>

export interface Change<T, R> {
  readonly edits: Edits<T>
  readonly result: R
}

/** A change that waits for its turn. Settled once its caller has been answered, or has given up. */
export interface WaitingChange<T> {
  readonly isSettled: boolean
  /** Asks for its edits of these entries; nothing where it threw, which its caller is told. */
  ask(entries: ReadonlyMap<string, T>): Edits<T> | undefined
  /** With what it answered last. */
  resolve(): void
  reject(error: unknown): void
}

/** Changes that are written with one write. */
export interface Batch<T> {
  readonly changes: readonly WaitingChange<T>[]
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal
}

/** So that nobody waits for a write that grows without end. */
const MOST_IN_A_BATCH = 64

/**
 * Has changes made in batches: what comes while a batch is written is the next one. `commit` settles each change of its batch. How
 * many wait is bounded by who asks: connections of gateways that join, and workers.
 */
export class ChangeQueue<T> {
  readonly #commit: (batch: Batch<T>) => Promise<void>
  readonly #waiting = new Set<WaitingChange<T>>()
  #isWorking = false
  /** Looks whether anybody still waits for the batch under way. */
  #abandon: (() => void) | undefined

  constructor(commit: (batch: Batch<T>) => Promise<void>) {
    this.#commit = commit
  }

  add<R>(change: (entries: ReadonlyMap<string, T>) => Change<T, R>, signal?: AbortSignal): Promise<R> {
    const { promise, resolve, reject } = Promise.withResolvers<R>()
    let answer: { readonly result: R } | undefined
    let isSettled = false
    const settle = (how: () => void) => {
      isSettled = true
      signal?.removeEventListener('abort', giveUp)
      how()
    }
    const waiting: WaitingChange<T> = {
      get isSettled() {
        return isSettled
      },
      ask(entries) {
        try {
          const { edits, result } = change(entries)
          answer = { result }
          return edits
        } catch (error) {
          settle(() => reject(error))
          return undefined
        }
      },
      resolve: () => settle(() => answer && resolve(answer.result)),
      reject: (error) => settle(() => reject(error)),
    }
    const giveUp = () => {
      waiting.reject(signal?.reason)
      this.#waiting.delete(waiting)
      this.#abandon?.()
    }
    if (signal?.aborted) {
      waiting.reject(signal.reason)
      return promise
    }
    signal?.addEventListener('abort', giveUp, { once: true })
    this.#waiting.add(waiting)
    void this.#work()
    return promise
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return
    this.#isWorking = true
    // Those of one turn of the event loop go together.
    await undefined
    while (this.#waiting.size > 0) {
      const changes = [...this.#waiting].slice(0, MOST_IN_A_BATCH)
      for (const change of changes) this.#waiting.delete(change)
      const end = new AbortController()
      this.#abandon = () => {
        if (changes.every(({ isSettled }) => isSettled)) end.abort(new Error('nobody waits for the change any more'))
      }
      await this.#commit({ changes, signal: end.signal })
      this.#abandon = undefined
    }
    this.#isWorking = false
  }
}
