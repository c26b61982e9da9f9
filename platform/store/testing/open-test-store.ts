import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { silentLogger } from '../../log/logger.ts'
import { systemClock } from '../../time/system-clock.ts'
import { openStore, type StoreOptions } from '../open-store.ts'
import type { Store, StoreDomain } from '../store.ts'

/** What of a test context the helpers need. */
export interface Cleanup {
  after(release: () => Promise<void>): void
}

const defaults: StoreOptions = { clock: systemClock, log: silentLogger, durability: 'normal', checksSchema: true }

/** Migrating takes longer than most tests: it is done once for the domains of a test file, and copied. */
const migrated = new Map<string, Promise<Uint8Array>>()

/**
 * A real store on a folder of its own, closed with the test. Durability is that of a process, not of a power cut. Migrations
 * that do not make the declared tables are refused. `t.after` runs in the order of registration: what uses the store has to
 * be registered before it.
 */
export async function openTestStore(
  t: Cleanup,
  domains: readonly StoreDomain[],
  options: Partial<StoreOptions> = {},
): Promise<Store> {
  const file = join(temporaryFolder('skerry-store-'), 'test.db')
  await writeFile(file, await templateOf(domains))
  const store = await openStore(file, domains, { ...defaults, ...options })
  t.after(async () => store[Symbol.asyncDispose]())
  return store
}

function templateOf(domains: readonly StoreDomain[]): Promise<Uint8Array> {
  const key = JSON.stringify(domains.map(({ name, tables, migrations }) => [name, tables, migrations]))
  const made = migrated.get(key) ?? migrate(domains)
  migrated.set(key, made)
  return made
}

async function migrate(domains: readonly StoreDomain[]): Promise<Uint8Array> {
  const file = join(temporaryFolder('skerry-store-'), 'template.db')
  const store = await openStore(file, domains, defaults)
  await store[Symbol.asyncDispose]()
  return readFile(file)
}
