import type { Bus } from '../../platform/bus/index.ts'
import type { Metrics } from '../../platform/health/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock, Random } from '../../platform/time/index.ts'
import type { PodFacts } from './pod/facts.ts'
import type { PodAccess } from './twins/pod-access.ts'
import type { SharedTwins } from './twins/twin-grants.ts'
import type { UpkeepOptions } from './upkeep-options.ts'

export interface EdgedOptions {
  /** CRI socket; default: the first of the usual ones that is there. */
  readonly runtime?: string
  /** Of volumes and what is kept of pods. */
  readonly directory: string
  readonly logs: string
  /** Of its socket `edged.sock`; private to its owner, and locked by this process. */
  readonly socketFolder: string
  /** Of 127.0.0.1, on which its server listens too; 0 takes a free one. */
  readonly port?: number
  readonly maxPods: number
  readonly parallelPulls: number
  readonly reserved: { readonly milliCpu: number; readonly memoryBytes: number }
  readonly dns: { readonly servers: readonly string[]; readonly domain: string }
  readonly allowedSysctls: readonly string[]
  readonly shared: readonly SharedTwins[]
  /** Folder of manifests that this node runs by itself. */
  readonly staticPods?: string
  readonly upkeep: UpkeepOptions
}

export interface EdgedPorts {
  readonly bus: Bus
  readonly nodeName: string
  readonly access: PodAccess
  /** Addresses of this node, the first one first, and what it has. */
  readonly machine: () => Omit<PodFacts, 'podIps' | 'nodeName'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}
