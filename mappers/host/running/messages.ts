import type { LogFields } from '../../../platform/log/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import type { HostStats } from '../stats.ts'

/** What the thread or process of a mapper is started with. */
export interface MapperStart {
  readonly entry: string
  readonly protocol: string
  readonly protocols: readonly string[]
  readonly folder: string
  readonly broker?: LocalBroker | undefined
}

export interface Beat {
  readonly stats: HostStats
  /** Bytes of the JavaScript heap in use, and of buffers outside it. Absent where the mapper shares the heap of the edge. */
  readonly memory?: { readonly heap: number; readonly buffers: number }
}

/** From a mapper to the main thread, on a line of its own so that a full bus never looks like a hang. */
export type MapperMessage =
  | ({ readonly type: 'beat' } & Beat)
  | {
      readonly type: 'log'
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields: LogFields
    }

/** Whether our own program said it; of that, the form tells enough. */
export function isMapperMessage(data: unknown): data is MapperMessage {
  if (typeof data !== 'object' || data === null || !('type' in data)) return false
  if (data.type === 'beat') return 'stats' in data && typeof data.stats === 'object'
  return data.type === 'log' && 'level' in data && LEVELS.has(data.level) && 'message' in data && 'fields' in data
}

const LEVELS: ReadonlySet<unknown> = new Set(['debug', 'info', 'warn', 'error'])

/** From the main thread to a mapper: close every connection, then end. */
export const STOP = 'stop'

export const BEAT_MS = 1000
