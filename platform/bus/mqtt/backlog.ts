import type { Client } from 'aedes'

/** Bytes that wait for one client before it counts as stalled. */
export const MAX_BACKLOG_BYTES = 4 * 1024 * 1024

export type Verdict = 'forward' | 'drop' | 'disconnect'

/**
 * Bounds what waits in memory for each connected client: beyond it a QoS 0 message is dropped, and at QoS 1 and 2, which
 * promise delivery, the client is disconnected and may come back to a session.
 */
export class Backlog {
  readonly #maxBytes: number
  /** Forwarded in this turn of the event loop and not yet in the socket's own count. */
  readonly #fresh = new Map<Client, number>()
  #clearing = false

  constructor(maxBytes: number = MAX_BACKLOG_BYTES) {
    this.#maxBytes = maxBytes
  }

  judge(client: Client, bytes: number, qos: number): Verdict {
    const fresh = this.#fresh.get(client) ?? 0
    if (fresh + client.conn.writableLength + bytes > this.#maxBytes && fresh + client.conn.writableLength > 0) {
      return qos === 0 ? 'drop' : 'disconnect'
    }
    this.#fresh.set(client, fresh + bytes)
    if (!this.#clearing) {
      this.#clearing = true
      // The broker writes in the next turn; two turns on, the bytes are in writableLength.
      setImmediate(() =>
        setImmediate(() => {
          this.#clearing = false
          this.#fresh.clear()
        }),
      )
    }
    return 'forward'
  }
}
