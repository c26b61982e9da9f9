import type { Anonymous } from '../../../schemas/config/index.ts'
import type { Metrics } from '../../health/metrics.ts'
import type { Logger } from '../../log/logger.ts'
import type { Clock } from '../../time/index.ts'
import type { SessionLimits } from './sessions/limits.ts'

export interface EmbeddedBrokerOptions {
  readonly host: string
  /** 0 takes a free one, see `port` of the module. */
  readonly port: number
  readonly anonymous: Anonymous
  /** Of a whole MQTT packet without its fixed header. A client that announces a larger one is disconnected. */
  readonly maxPacketBytes: number
  readonly maxConnections: number
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** Bytes that may wait in the socket of one client. */
  readonly maxBacklogBytes?: number
  /** Sessions and retained messages, a database of their own. Absent: they end with the process. */
  readonly file?: string
  readonly limits?: Partial<SessionLimits>
  /** Of messages of the edge that do not say otherwise. Default: 1, and not retained. */
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
}
