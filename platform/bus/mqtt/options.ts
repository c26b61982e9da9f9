import type { Anonymous, MqttClientConfig, MqttTlsConfig, MqttWebSocketConfig } from '../../../schemas/config/index.ts'
import type { Metrics } from '../../health/metrics.ts'
import type { Logger } from '../../log/logger.ts'
import type { Clock, Duration } from '../../time/index.ts'
import type { Accounts } from './access/accounts.ts'
import type { InnerAccount } from './access/inner-account.ts'
import type { LoginLimits } from './access/login.ts'
import type { PodListenerOptions } from './listen/pod-listener.ts'
import type { SessionLimits } from './sessions/limits.ts'

export interface EmbeddedBrokerOptions {
  readonly host: string
  /** 0 takes a free one, see `port` of the module. */
  readonly port: number
  /** Of clients without credentials on this machine. */
  readonly anonymous: Anonymous
  /** Of those on other machines. Default: none. */
  readonly anonymousRemote?: Anonymous
  /** What users and holders of client certificates may do. */
  readonly clients?: readonly MqttClientConfig[]
  /** For the mappers of this process, beside all others. */
  readonly inner?: InnerAccount
  /** Of pods. Absent: a name of a pod is like any other. */
  readonly accounts?: Accounts
  /** Where pods come in, as far as that is known; nobody is listened for before `listenForPods`. */
  readonly forPods?: () => PodListenerOptions | undefined
  /** At each start, once all listeners are open; the broker is not ready before this settles. */
  readonly onListening?: () => Promise<void>
  /** Must be there when it is named. Default: `passwords` in `folder`, where it exists. */
  readonly passwordFile?: string
  readonly tls?: MqttTlsConfig
  readonly websocket?: MqttWebSocketConfig
  /** For users, and for certificates that the broker makes itself. */
  readonly folder?: string
  /** Of a whole MQTT packet without its fixed header. A client that announces a larger one is disconnected. */
  readonly maxPacketBytes: number
  readonly maxConnections: number
  /** Of one user, and of all anonymous clients together. Default: no limit but maxConnections. */
  readonly maxConnectionsPerUser?: number
  /** Of one pod, and most sessions of its clients; of one address for pods twice as many. Default: no limit but the others. */
  readonly maxConnectionsPerPod?: number
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** Bytes that may wait in the socket of one client. */
  readonly maxBacklogBytes?: number
  readonly loginLimits?: LoginLimits
  /** How often the files of users and certificates are looked at. Default: 5 seconds, and a minute. */
  readonly recheck?: Duration
  /** Sessions and retained messages, a database of their own. Absent: they end with the process. */
  readonly file?: string
  /** Of that file; see StoreOptions. Default: full. */
  readonly durability?: 'full' | 'normal'
  readonly limits?: Partial<SessionLimits>
  /** Of messages of the edge that do not say otherwise. Default: 1, and not retained. */
  readonly qos?: 0 | 1 | 2
  readonly retain?: boolean
}
