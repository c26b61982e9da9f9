import type { Client } from 'aedes'
import type { Session } from './session.ts'
import type { SessionBook } from './session-book.ts'

export interface Arrival {
  readonly session: Session
  readonly packetId: number
  /** Settles a repetition that came while the message was worked on. A failed one may come again. */
  settle(error: Error | null | undefined): void
}

interface Packet {
  readonly qos: number
  readonly messageId?: number | undefined
}

/**
 * A QoS 2 message is taken once, however often its PUBLISH comes (MQTT 3.1.1 §4.3.3): the promise of a repetition, or a new
 * arrival; undefined for other messages.
 */
export function arrive(book: SessionBook, client: Client | null, packet: Packet): Promise<void> | Arrival | undefined {
  const { qos, messageId: packetId } = packet
  if (!client || qos !== 2 || !packetId) return undefined
  const session = book.of(client)
  const known = session.incoming.get(packetId)
  if (known) return known
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  // A failure is the sender's to hear, on its connection.
  promise.catch(() => undefined)
  session.incoming.set(packetId, promise)
  return {
    session,
    packetId,
    settle(error) {
      if (!error) resolve()
      else {
        if (session.incoming.get(packetId) === promise) session.incoming.delete(packetId)
        reject(error)
      }
    },
  }
}
