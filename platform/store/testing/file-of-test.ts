import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { memoryLogger } from '../../log/testing/index.ts'
import { systemClock } from '../../time/system-clock.ts'
import { openStore, type StoreOptions } from '../open-store.ts'
import type { OpenedStore } from '../store.ts'
import { pairs } from './pairs.ts'

/** A folder that goes with the test file, and where its database belongs. */
export function aFolder() {
  const folder = temporaryFolder('skerry-store-')
  return { folder, file: join(folder, 'skerry.db') }
}

/** Closed with the test; also again. */
export async function openAt(t: TestContext, file: string, options: Partial<StoreOptions> = {}): Promise<OpenedStore> {
  const store = await openStore(file, [pairs], { clock: systemClock, log: memoryLogger(), ...options })
  t.after(() => store[Symbol.asyncDispose]())
  return store
}
