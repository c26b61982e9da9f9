import type { Client } from 'aedes'
import { Outbox, type OutboxLimits } from './outbox.ts'

export interface Subscription {
  readonly session: Session
  readonly filter: string
  readonly qos: 0 | 1 | 2
  /** Of a bridge: messages keep their retain flag and do not come back to who sent them. */
  readonly isBridge: boolean
}

/** What the broker knows of one client (MQTT 3.1.1 §3.1.2.4). A clean one ends with its connection. */
export class Session {
  readonly id: string
  readonly isClean: boolean
  readonly filters = new Map<string, Subscription>()
  readonly outbox: Outbox
  /** QoS 2 messages of the client by packet id, until their PUBREL; settled once one was taken. */
  readonly incoming = new Map<number, Promise<void>>()
  /** Filters that are on disk, or on their way there. */
  readonly stored = new Map<string, Subscription>()
  /** While connected and greeted. */
  client: Client | undefined
  /** Unix ms of the end of the last connection. */
  seen: number
  hasEnded = false
  /** User name of who opened it; empty for an anonymous client. */
  owner = ''

  constructor(id: string, isClean: boolean, limits: OutboxLimits, seen: number) {
    this.id = id
    this.isClean = isClean
    this.outbox = new Outbox(limits)
    this.seen = seen
  }
}
