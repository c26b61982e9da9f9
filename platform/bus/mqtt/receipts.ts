import type { Client } from 'aedes'

export type Done = (error?: Error | null) => void

/** One message of a client on its way to its receipt. */
export interface Step {
  /** What is done about it; absent when nobody works on it. */
  readonly handling?: Promise<unknown> | undefined
  /** What follows that, begun in the order of the client's messages. */
  readonly admit?: () => Promise<unknown> | undefined
}

/**
 * Lets the messages of each client go on in the order in which they came, however long each was worked on: receipts keep that
 * order, and so do the messages that are passed to others (MQTT 3.1.1 §4.6).
 */
export class Receipts {
  /** Of the last message of a client; absent when none is held. */
  readonly #held = new Map<Client, Held>()

  give(client: Client | null, { handling, admit = () => undefined }: Step, done: Done): void {
    const before = client ? this.#held.get(client) : undefined
    let admitted: Promise<unknown> | undefined
    if (!before && !handling) {
      admitted = admit()
      if (!admitted) {
        done(null)
        return
      }
    }
    // Heard at once, or a failure behind a longer wait would count as unhandled.
    const outcome = (handling ?? Promise.resolve()).then(() => null, toError)
    const begun = admitted ? Promise.resolve({ rest: admitted.then(() => null, toError) }) : begin()
    const finished = finish()
    const held = { begun, finished }
    if (client) this.#held.set(client, held)

    async function begin() {
      await before?.begun
      const error = await outcome
      // In an object, so that the next message need not wait for the disk.
      return { rest: error ? Promise.resolve(error) : attempt(admit) }
    }
    const forget = () => {
      if (client && this.#held.get(client) === held) this.#held.delete(client)
    }
    async function finish(): Promise<void> {
      const { rest } = await begun
      await before?.finished
      const error = await rest
      forget()
      done(error)
    }
  }
}

interface Held {
  readonly begun: Promise<unknown>
  readonly finished: Promise<void>
}

async function attempt(admit: () => Promise<unknown> | undefined): Promise<Error | null> {
  try {
    await admit()
    return null
  } catch (error) {
    return toError(error)
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error('the message was not taken', { cause: error })
}
