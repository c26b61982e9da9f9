import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { silentLogger } from '../../log/logger.ts'
import { systemClock } from '../../time/system-clock.ts'
import { openStore, type StoreOptions } from '../open-store.ts'
import type { Store, StoreDomain } from '../store.ts'

/** What of a test context the helpers need. */
export interface Cleanup {
  after(release: () => Promise<void>): void
}

/** A real store on a folder of its own; both go with the test. Durability is that of a process, not of a power cut. */
export async function openTestStore(
  t: Cleanup,
  domains: readonly StoreDomain[],
  options: Partial<StoreOptions> = {},
): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-store-'))
  const store = await openStore(join(folder, 'test.db'), domains, {
    clock: systemClock,
    log: silentLogger,
    durability: 'normal',
    ...options,
  })
  t.after(async () => {
    await store[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })
  return store
}
