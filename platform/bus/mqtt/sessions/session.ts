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
  /** Subscriptions that are not on their way to the disk yet. */
  unkept: Subscription[] = []
  /** Settles when those before are there. */
  keeping: Promise<void> = Promise.resolve()
  /** While connected and greeted. */
  client: Client | undefined
  /** Unix ms of the end of the last connection. */
  seen: number
  hasEnded = false
  /** On disk it counts as one whose client is away. */
  isAwayOnDisk = false
  /** User name of who opened it; empty for an anonymous client. */
  owner = ''

  constructor(id: string, isClean: boolean, limits: OutboxLimits, seen: number) {
    this.id = id
    this.isClean = isClean
    this.outbox = new Outbox(limits)
    this.seen = seen
  }

  /** Whether it is on disk. */
  get isKept(): boolean {
    return !this.isClean && !this.hasEnded
  }
}
