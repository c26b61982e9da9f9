import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { memoryLogger } from '../../log/testing/index.ts'
import { systemClock } from '../../time/system-clock.ts'
import { openStore, type StoreOptions } from '../open-store.ts'
import type { OpenedStore } from '../store.ts'
import { pairs } from './pairs.ts'

/** A folder that goes with the test, and where its database belongs. */
export async function aFolder(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'skerry-store-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return { folder, file: join(folder, 'skerry.db') }
}

/** Closed with the test; also again. */
export async function openAt(t: TestContext, file: string, options: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  const store = await openStore(file, [pairs], { clock: systemClock, log: memoryLogger(), ...options })
  t.after(() => store[Symbol.asyncDispose]())
  return store
}
