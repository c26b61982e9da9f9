import type { Client } from 'aedes'

export type Done = (error?: Error | null) => void

/** One message of a client on its way to its receipt. */
export interface Step {
  /** What is done about it; absent when nobody works on it. */
  readonly handling?: Promise<unknown> | undefined
  /** What follows that, begun in the order of the client's messages. */
  readonly admit?: () => Promise<unknown> | undefined
}

interface Held {
  readonly admit: (() => Promise<unknown> | undefined) | undefined
  readonly done: Done
  phase: 'handling' | 'handled' | 'admitting' | 'finished'
  error: Error | null
}

/**
 * Lets the messages of each client go on in the order in which they came, however long each was worked on: receipts keep that
 * order, and so do the messages that are passed to others (MQTT 3.1.1 §4.6).
 */
export class Receipts {
  /** Messages that are held, oldest first; absent when there are none. */
  readonly #held = new Map<Client, Held[]>()

  give(client: Client | null, { handling, admit }: Step, done: Done): void {
    const held: Held = { admit, done, phase: handling ? 'handling' : 'handled', error: null }
    const before = client ? this.#held.get(client) : undefined
    const queue = before ?? []
    queue.push(held)
    if (client && !before) this.#held.set(client, queue)
    const goOn = () => this.#goOn(client, queue)
    if (!handling) {
      goOn()
      return
    }
    const handled = (error: Error | null) => {
      held.phase = 'handled'
      held.error = error
      goOn()
    }
    handling.then(
      () => handled(null),
      (error: unknown) => handled(toError(error)),
    )
  }

  #goOn(client: Client | null, queue: Held[]): void {
    for (const held of queue) {
      if (held.phase === 'handling') break
      if (held.phase === 'handled') this.#admit(client, queue, held)
    }
    while (queue[0]?.phase === 'finished') {
      const { done, error } = queue[0]
      queue.shift()
      if (client && queue.length === 0) this.#held.delete(client)
      done(error)
    }
  }

  #admit(client: Client | null, queue: Held[], held: Held): void {
    held.phase = 'finished'
    if (held.error || !held.admit) return
    try {
      const admitted = held.admit()
      if (!admitted) return
      held.phase = 'admitting'
      const finish = (error: Error | null) => {
        held.phase = 'finished'
        held.error = error
        this.#goOn(client, queue)
      }
      admitted.then(
        () => finish(null),
        (error: unknown) => finish(toError(error)),
      )
    } catch (error) {
      held.error = toError(error)
    }
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the message was not taken', { cause: error })
}
