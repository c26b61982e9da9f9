import type { ApplicationEvent, JsonObject } from '../../../schemas/index.ts'

/** More wait in the cloud, or in the link. */
const MOST_UNREAD = 512

/** Why a watch of the moment is over: it may go on where it stopped, or with a Status that says why not. */
export interface EndOfEvents {
  readonly status?: JsonObject
}

/** Events of one watch that its reader has not taken. Whoever puts them waits while there are many. */
export class EventQueue {
  readonly #events: ApplicationEvent[] = []
  #ended: EndOfEvents | undefined
  #wake = Promise.withResolvers<void>()
  #room: PromiseWithResolvers<void> | undefined

  get unread(): number {
    return this.#events.length
  }

  /** Settles when there is room again; false where nobody reads any more. */
  async put(events: readonly ApplicationEvent[]): Promise<boolean> {
    if (this.#ended) return false
    this.#events.push(...events)
    this.#wake.resolve()
    if (this.#events.length >= MOST_UNREAD) {
      this.#room ??= Promise.withResolvers<void>()
      await this.#room.promise
    }
    return true
  }

  /** What was put before is read all the same. */
  end(reason: EndOfEvents): void {
    this.#ended ??= reason
    this.#wake.resolve()
    this.#room?.resolve()
  }

  /** Ends with the reason, also when the signal aborts. */
  async *read(signal: AbortSignal): AsyncGenerator<ApplicationEvent, EndOfEvents> {
    const onAbort = () => this.end({})
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    try {
      for (;;) {
        const taken = this.#events.splice(0)
        this.#room?.resolve()
        this.#room = undefined
        yield* taken
        if (this.#events.length > 0) continue
        if (this.#ended) return this.#ended
        this.#wake = Promise.withResolvers()
        await this.#wake.promise
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.end({})
    }
  }
}
