import type { Bus } from '../../../platform/bus/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Duration, Random } from '../../../platform/time/index.ts'
import type { LocalBroker } from '../../contract/index.ts'
import type { Beat } from './messages.ts'
import type { MapperSource } from './source.ts'

/** Where a mapper runs. */
export type Isolation = 'worker' | 'process' | 'none'

export interface RunOptions {
  readonly source: MapperSource
  /** Names in `protocolName` that it serves. */
  readonly protocols: readonly string[]
  readonly bus: Bus
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Of the mapper alone; exists. */
  readonly folder: string
  readonly broker?: LocalBroker | undefined
  /** Of JavaScript objects, and again as much of buffers. A mapper that needs more is ended. */
  readonly heapMegabytes: number
  /** Default 10 s: a mapper that shows no life for so long is ended. */
  readonly silence?: Duration | undefined
  onBeat(beat: Beat): void
}

/** Runs a mapper. Settles when it ended because the signal aborted; rejects when it ended otherwise. */
export type Runner = (options: RunOptions, signal: AbortSignal) => Promise<void>
