import type { Bus } from '../../../platform/bus/index.ts'
import type { Metrics } from '../../../platform/health/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { Applications } from '../applications/applications.ts'
import type { MetaManager } from '../meta/meta-manager.ts'
import type { NodeSelf } from '../node/node-self.ts'

export interface MetaServerPorts {
  readonly store: Store
  readonly meta: MetaManager
  readonly bus: Bus
  readonly applications: Applications
  readonly nodeName: string
  readonly node?: NodeSelf
  /** Path of Edged's socket; undefined where this node runs no pods. */
  readonly edged: () => string | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}

export interface MetaServerSettings {
  readonly host: string
  readonly port: number
  /** For its own certificates and tokens. */
  readonly folder: string
  /** Beside the issuer's name: for whom tokens of service accounts may be. */
  readonly audiences: readonly string[]
  /** Absent: no pods come in by themselves. */
  readonly pods?: PodsNetwork
}

/** How pods reach this node. */
export interface PodsNetwork {
  readonly address: string
  /** Sees to it that this machine has the address; `refusal`: why it cannot, for people. */
  open(address: string): Promise<{ readonly address: string } | { readonly refusal: string }>
}

export interface MetaServerOptions extends Omit<MetaServerSettings, 'host' | 'port' | 'pods'> {
  /** `host:port` as clients reach it. */
  readonly address: () => string
}
