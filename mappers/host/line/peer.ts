import type { Backoff } from '../../../platform/time/index.ts'
import type { VisitId } from '../../contract/index.ts'
import type { ServedDevice, ServedProperty } from './served-device.ts'

/** Devices of one line that fail together, and what is to be done for them. No call of a driver holds two peers. */
export class Peer {
  readonly key: string
  /** Of the schedule. */
  readonly slot: number
  readonly devices = new Set<ServedDevice>()
  /** Due to be read, and not read yet. What falls due once more meanwhile is read once. */
  readonly due = new Map<VisitId, ServedProperty>()
  /** Back from an outage: what was recorded meanwhile is asked for before they are read. */
  readonly gaps = new Set<ServedDevice>()
  /** When an order has to be written next, monotonic ms; undefined: none. */
  ordersDue: number | undefined
  silence: Silence | undefined
  blame: Blame | undefined
  /** When it did not answer last, monotonic ms. */
  wasSilent = Number.NEGATIVE_INFINITY
  /** How far it has been served, in the virtual time of its Turns. */
  served = 0
  /** Time of its calls that it has not paid for in that yet, ms. */
  owes = 0

  constructor(key: string, slot = 0) {
    this.key = key
    this.slot = slot
  }

  get waits(): boolean {
    return this.due.size > 0 || this.gaps.size > 0
  }
}

/** The connection was lost over a call for it. */
export interface Blame {
  readonly reason: string
  readonly backoff: Backoff
  /** When it is asked again on another connection at the earliest, monotonic ms. */
  readonly notBefore: number
  /** Calls for it since then that the connection survived. */
  survived: number
}

/** It does not answer, though the connection is good. */
export interface Silence {
  readonly reason: string
  readonly backoff: Backoff
  /** When it is asked again at the earliest, monotonic ms. */
  notBefore: number
}
