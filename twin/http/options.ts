import type { Bus } from '../../platform/bus/index.ts'
import type { Metrics } from '../../platform/health/index.ts'
import type { Logger } from '../../platform/log/index.ts'
import type { Clock, Random } from '../../platform/time/index.ts'
import type { Access } from './caller.ts'
import type { PodLimits } from './pod-guests.ts'
import type { PodsNetwork } from './pods-door.ts'

export interface LocalApiOptions {
  /** Of the loopback: callers show passwords, and nothing here encrypts. */
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly origins: readonly string[]
  readonly names: readonly string[]
  readonly maxBodyBytes: number
  /** At each door. */
  readonly maxStreams: number
  /** Of each pod. */
  readonly pods: PodLimits
  /** Absent: this node runs no pods. */
  readonly network?: PodsNetwork | undefined
  readonly access: Access
  readonly bus: Bus
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: Metrics
}
