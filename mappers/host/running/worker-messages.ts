import type { MessagePort } from 'node:worker_threads'
import type { LogFields } from '../../../platform/log/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import type { HostStats } from '../stats.ts'

/** What a worker is started with. */
export interface WorkerStart {
  readonly entry: string
  readonly protocol: string
  readonly protocols: readonly string[]
  readonly folder: string
  readonly broker?: LocalBroker | undefined
  /** Serves the bus at its other end. */
  readonly bus: MessagePort
}

/** From a worker to the main thread, on its own port so that a full bus never looks like a hang. */
export type WorkerMessage =
  | { readonly type: 'beat'; readonly stats: HostStats }
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields: LogFields
    }

/** From the main thread to a worker: close every connection, then end. */
export const STOP = 'stop'

export const BEAT_MS = 1000
