import assert from 'node:assert/strict'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { createMetrics } from '../../platform/health/index.ts'
import { runModules } from '../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { openEdgeStore } from './edge-store.ts'

test('damage that is met while the edge runs ends the process, and the next start goes back to the backup', async () => {
  const directory = temporaryFolder('skerry-edge-')
  const ground = { directory, log: memoryLogger(), metrics: createMetrics() }
  const config = { durability: 'normal', backup: { every: '24h', keep: 2 } } as const
  const first = await openEdgeStore(config, ground)
  const running = await runModules([first.entry], { clock, random, log: ground.log, grace: seconds(5) })
  const document = 'x'.repeat(3000)
  const put = (id: number) => ({ statement: 'twin.put', parameters: [`device-${id}`, document] })
  // More than SQLite keeps in memory.
  await first.store.write(Array.from({ length: 2000 }, (_, id) => put(id)))
  await first.store.backup(2, new AbortController().signal)
  const file = await open(join(directory, 'edge.db'), 'r+')
  await file.write(Buffer.alloc(6_000_000, 0xa5), 0, 6_000_000, 4096 * 8)
  await file.close()
  await assert.rejects(first.store.read({ statement: 'twin.all', parameters: [] }), { code: 'PLATFORM_STORE_DAMAGED' })
  const reason = await running.ended
  assert.equal(reason?.code, 'PLATFORM_MODULE_FAILED')
  assert.ok(reason.cause instanceof Error && 'code' in reason.cause)
  assert.equal(reason.cause.code, 'PLATFORM_STORE_DAMAGED')
  await first.store[Symbol.asyncDispose]()

  const second = await openEdgeStore(config, ground)
  assert.equal(second.store.recovered?.from, 'backup')
  assert.equal((await second.store.read({ statement: 'twin.all', parameters: [] })).length, 2000)
  await second.store[Symbol.asyncDispose]()
})
