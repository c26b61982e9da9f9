import { silentMetrics } from '../../../platform/health/index.ts'
import type { Store } from '../../../platform/store/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import { ObjectStore } from './object-store.ts'

/** More than anybody wrote since a backup, and what etcd's own restore takes. */
const LEAP = 1_000_000_000
/** Versions that a second is worth: more than a disk can commit, and 2^53 is 230 years away. */
const VERSIONS_A_SECOND = 1_000_000

export interface WentBack {
  readonly objects: number
  /** The resourceVersion of the restored state. */
  readonly version: number
}

/**
 * Makes a database that was taken from a backup fit to be served: its resourceVersion becomes higher than any that a client
 * can have seen of later states, also of one that was restored from the same backup before and is lost. So all clients are told
 * to list again, instead of missing what is gone. Reads everything; throws BugError for what is no object.
 */
export async function goBack(store: Store, clock: Clock): Promise<WentBack> {
  const objects = new ObjectStore({ store, metrics: silentMetrics })
  await objects.load()
  const version = Math.max(objects.version + LEAP, Math.floor(clock.now() / 1000) * VERSIONS_A_SECOND)
  await store.write([{ statement: 'kubernetes.advance', parameters: [version] }])
  const count = objects.resources().reduce((sum, resource) => sum + objects.list(resource).length, 0)
  return { objects: count, version }
}
