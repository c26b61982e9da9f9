import { join } from 'node:path'
import { callStoreDomain, metaStoreDomain, userStoreDomain } from '../../hub/edge/index.ts'
import { defaultRestart, type ModuleEntry } from '../../platform/lifecycle/index.ts'
import { createStoreModule, type OpenedStore, openStore } from '../../platform/store/index.ts'
import { systemClock as clock, systemRandom as random } from '../../platform/time/index.ts'
import type { EdgeConfig } from '../../schemas/config/index.ts'
import { twinStoreDomain } from '../../twin/index.ts'
import { parseDuration } from './duration-text.ts'
import type { Ground } from './host.ts'

/** The database of the edge, and the module that looks after it. */
export async function openEdgeStore(
  { durability, backup }: EdgeConfig['store'],
  { directory, log, metrics }: Omit<Ground, 'states'>,
): Promise<{ readonly store: OpenedStore; readonly entry: ModuleEntry }> {
  const file = join(directory, 'edge.db')
  const schedule = { every: parseDuration(backup.every), keep: backup.keep }
  const common = { clock, log, metrics }
  const domains = [metaStoreDomain, userStoreDomain, callStoreDomain, twinStoreDomain]
  const store = await openStore(file, domains, { ...common, durability, onDamage: 'restore' })
  const module = createStoreModule({ ...common, store, file, backup: schedule, random })
  // Damage is dealt with at the start of the process: the module's first crash ends it.
  return { store, entry: { module, restart: { ...defaultRestart, limit: 0 } } }
}
