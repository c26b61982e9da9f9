import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
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

const defaults: StoreOptions = { clock: systemClock, log: silentLogger, durability: 'normal', checksSchema: true }

/** Migrating takes longer than most tests: it is done once for the domains of a test file, and copied. */
const migrated = new Map<string, Promise<Uint8Array>>()

/**
 * A real store on a folder of its own; both go with the test. Durability is that of a process, not of a power cut. Migrations
 * that do not make the declared tables are refused. `t.after` runs in the order of registration: what uses the store has to
 * be registered before it.
 */
export async function openTestStore(
  t: Cleanup,
  domains: readonly StoreDomain[],
  options: Partial<StoreOptions> = {},
): Promise<Store> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-store-'))
  const file = join(folder, 'test.db')
  try {
    await writeFile(file, await templateOf(domains))
    const store = await openStore(file, domains, { ...defaults, ...options })
    t.after(async () => {
      await store[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    })
    return store
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function templateOf(domains: readonly StoreDomain[]): Promise<Uint8Array> {
  const key = JSON.stringify(domains.map(({ name, tables, migrations }) => [name, tables, migrations]))
  const made = migrated.get(key) ?? migrate(domains)
  migrated.set(key, made)
  return made
}

async function migrate(domains: readonly StoreDomain[]): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-store-'))
  try {
    const file = join(folder, 'template.db')
    const store = await openStore(file, domains, defaults)
    await store[Symbol.asyncDispose]()
    return await readFile(file)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
