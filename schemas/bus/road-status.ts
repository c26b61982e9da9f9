import type { LinkState } from './messages.ts'

/** The road to the cloud at one moment, for people: link, queues and what was lost. Times are Unix ms. */
export interface RoadStatus extends LinkState {
  /** Which cloud it is; absent while there is none. */
  readonly peer?: 'skerry' | 'kubeedge'
  /** When the cloud last answered or confirmed anything. */
  readonly lastReceipt?: number
  /** Requests that wait for their answer. */
  readonly requests: number
  /** Devices with changes that the cloud has not confirmed. */
  readonly twinsWaiting: number
  /** Pods with a status that the cloud has not confirmed. */
  readonly podsWaiting: number
  readonly userMessages: {
    /** For the cloud. */
    readonly waiting: number
    readonly bytes: number
    /** In the cloud, and kept until their targets have them. */
    readonly kept: number
    /** How long the oldest has waited, ms; absent where none waits. */
    readonly oldestAge?: number
    /** Since the database was made, by reason. */
    readonly dropped: Readonly<Record<string, number>>
  }
  /** Objects of the cloud on disk. */
  readonly objects: { readonly count: number; readonly bytes: number }
  /** Messages of the cloud that could not be taken since the start, by cause. */
  readonly refused: Readonly<Record<string, number>>
}
