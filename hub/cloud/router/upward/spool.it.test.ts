import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '../../../../platform/log/index.ts'
import { openStore } from '../../../../platform/store/index.ts'
import { systemClock as clock } from '../../../../platform/time/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { Spool } from './spool.ts'
import { routerStoreDomain } from './spool-store.ts'

test('a rule beyond its share is known as such, also after a restart, and all together are bounded', async () => {
  const path = join(await temporaryFolder(), 'router.db')
  await using store = await openStore(path, [routerStoreDomain], { clock, log: silentLogger })
  const bounds = { most: 40, share: 20 }
  const spool = new Spool(store, clock, bounds)
  const letter = { topic: 'doors', message: 'id', call: '', payload: Buffer.from('12345') }
  const [first] = await spool.put(['shop/one', 'shop/two'], 'edge-1', letter)
  await spool.put(['shop/one'], 'edge-1', letter)
  assert.equal(spool.isBeyondShare('shop/one'), false)
  await spool.put(['shop/one'], 'edge-1', letter)
  assert.deepEqual([spool.isBeyondShare('shop/one'), spool.isBeyondShare('shop/two'), spool.bytes], [true, false, 40])
  await assert.rejects(spool.put(['shop/two'], 'edge-1', letter), { code: 'HUB_ROUTER_FULL' })
  const again = new Spool(store, clock, bounds)
  assert.equal((await again.open()).length, 4)
  assert.equal(again.isBeyondShare('shop/one'), true)
  assert.ok(first)
  await again.remove(first)
  assert.deepEqual([again.isBeyondShare('shop/one'), again.bytes], [false, 30])
})
