import type { Metrics } from '../../../health/metrics.ts'
import type { Logger } from '../../../log/logger.ts'
import type { Clock, Random } from '../../../time/index.ts'
import type { BrokerAddress } from './address.ts'
import type { Dial } from './connection.ts'
import type { DialOptions } from './dial.ts'

export interface ExternalBrokerOptions {
  /** Of the module; default `EventBus`. */
  readonly name?: string
  /** Marks what this edge keeps retained at the broker. */
  readonly nodeName: string
  readonly address: BrokerAddress
  /** Empty: `hub-client-sub-` and ten digits. */
  readonly subscribeClientId: string
  /** Empty: `hub-client-pub-` and ten digits. */
  readonly publishClientId: string
  /** Keep the views at the broker, as retained messages. */
  readonly plainView: boolean
  /** A larger packet of the broker ends the connection. */
  readonly maxPacketBytes: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
  /** Default: MQTT over TCP or TLS. */
  readonly dial?: (options: DialOptions) => Dial
}
