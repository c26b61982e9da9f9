import type { Anonymous } from '../../../schemas/config/index.ts'
import type { Metrics } from '../../health/metrics.ts'
import type { Logger } from '../../log/logger.ts'
import type { Clock } from '../../time/index.ts'

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
  /** What may wait in memory for one client. */
  readonly maxBacklogBytes?: number
}
