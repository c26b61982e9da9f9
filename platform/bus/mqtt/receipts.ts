import type { Client } from 'aedes'

export type Done = (error?: Error | null) => void

/**
 * Lets the messages of each client go on in the order in which they came, however long each was worked on: receipts keep that
 * order, and so do the messages that are passed to others (MQTT 3.1.1 §4.6).
 */
export class Receipts {
  /** Settles when the last message of a client has gone on; absent when none is held. */
  readonly #held = new Map<Client, Promise<void>>()

  /** `handling` is absent for a message that nobody works on. */
  give(client: Client | null, handling: Promise<unknown> | undefined, done: Done): void {
    const before = client ? this.#held.get(client) : undefined
    if (!before && !handling) {
      done(null)
      return
    }
    // Heard at once, or a failure behind a longer wait would count as unhandled.
    const outcome = Promise.resolve(handling).then(() => null, toError)
    const turn = Promise.resolve(before).then(async () => {
      const error = await outcome
      if (client && this.#held.get(client) === turn) this.#held.delete(client)
      done(error)
    })
    if (client) this.#held.set(client, turn)
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the message was not taken', { cause: error })
}
