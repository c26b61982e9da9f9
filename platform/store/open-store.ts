import { basename } from 'node:path'
import { type Metrics, silentMetrics } from '../health/metrics.ts'
import type { Logger } from '../log/logger.ts'
import type { Clock } from '../time/clock.ts'
import { StoreClient, spawnWorker } from './client.ts'
import { storeMetrics } from './metrics.ts'
import type { OpenedStore, StoreDomain } from './store.ts'

export interface StoreOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
  /** `full` (default): an acknowledged write survives a power cut; `normal`: only the death of the process. */
  readonly durability?: 'full' | 'normal'
  /**
   * When the file is damaged: `refuse` (default) to open it; `restore` the newest sound backup, or begin an empty file where
   * there is none, and keep the damaged one beside it; `discard` it and begin an empty one, for what may be lost.
   */
  readonly onDamage?: 'refuse' | 'restore' | 'discard'
  /** Give space that deleted rows leave back to the disk, a little with each commit. Holds for files that are made with it. */
  readonly shrinks?: boolean
  /** Most requests in one transaction; default 1000. */
  readonly groupSize?: number
  /** Most requests that wait for the worker; more are refused with PLATFORM_STORE_OVERLOADED. Default 100,000. */
  readonly mostWaiting?: number
  /** Refuse to open when migrations and declared tables disagree. For tests; default false. */
  readonly checksSchema?: boolean
}

/**
 * Opens or makes the file, brings its schema up to date and prepares the statements of the domains. The caller disposes the
 * store, which flushes it. Rejects with PLATFORM_STORE_DAMAGED when the file is not sound and `onDamage` says so.
 */
export async function openStore(
  file: string,
  domains: readonly StoreDomain[],
  options: StoreOptions,
): Promise<OpenedStore> {
  const { clock, log, metrics = silentMetrics } = options
  const { durability = 'full', onDamage = 'refuse', checksSchema = false, shrinks = false } = options
  const { groupSize = 1000, mostWaiting = 100_000 } = options
  const store = new StoreClient({
    settings: { file, domains, durability, onDamage, groupSize, shrinks, checksSchema },
    clock,
    log: log.child({ store: basename(file) }),
    metrics: storeMetrics(metrics, basename(file)),
    mostWaiting,
    spawn: spawnWorker,
  })
  await store.open()
  return store
}
