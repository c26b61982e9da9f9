import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '../../../../platform/log/index.ts'
import { openStore, type Store } from '../../../../platform/store/index.ts'
import { systemClock as clock } from '../../../../platform/time/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { Spool } from './spool.ts'
import { routerStoreDomain } from './spool-store.ts'

test('a rule beyond its share is known as such, also after a restart, and all together are bounded', async () => {
  const path = join(await temporaryFolder(), 'router.db')
  await using store = await openStore(path, [routerStoreDomain], { clock, log: silentLogger })
  const bounds = { most: 40, share: 20 }
  const spool = new Spool({ store, clock, log: silentLogger }, bounds)
  const letter = { topic: 'doors', message: 'id', call: '', payload: Buffer.from('12345') }
  const [first] = await spool.put(['shop/one', 'shop/two'], 'edge-1', letter)
  await spool.put(['shop/one'], 'edge-1', letter)
  assert.equal(spool.isBeyondShare('shop/one'), false)
  await spool.put(['shop/one'], 'edge-1', letter)
  assert.deepEqual([spool.isBeyondShare('shop/one'), spool.isBeyondShare('shop/two'), spool.bytes], [true, false, 40])
  await assert.rejects(spool.put(['shop/two'], 'edge-1', letter), { code: 'HUB_ROUTER_FULL' })
  const again = new Spool({ store, clock, log: silentLogger }, bounds)
  assert.equal((await again.open()).length, 4)
  assert.equal(again.isBeyondShare('shop/one'), true)
  assert.ok(first)
  await again.remove(first)
  assert.deepEqual([again.isBeyondShare('shop/one'), again.bytes], [false, 30])
})

test('a disk that takes no removal holds nothing up: it goes with the next write', async () => {
  const path = join(await temporaryFolder(), 'router.db')
  await using store = await openStore(path, [routerStoreDomain], { clock, log: silentLogger })
  let isFull = false
  const write: Store['write'] = (calls) => (isFull ? Promise.reject(new Error('disk full')) : store.write(calls))
  const warnings: string[] = []
  const log = { ...silentLogger, warn: (text: string) => void warnings.push(text) }
  const spool = new Spool({ store: Object.assign(Object.create(store), { write }), clock, log })
  const letter = { topic: 'doors', message: 'id', call: '', payload: Buffer.from('12345') }
  const [first] = await spool.put(['shop/one'], 'edge-1', letter)
  const [second] = await spool.put(['shop/one'], 'edge-1', letter)
  assert.ok(first && second)
  isFull = true
  await spool.remove(first)
  await spool.remove(second)
  await assert.rejects(spool.put(['shop/one'], 'edge-1', letter), /disk full/)
  assert.deepEqual([spool.bytes, warnings.length], [0, 1])
  const onDisk = async () => (await store.read({ statement: 'router.index', parameters: [] })).length
  assert.equal(await onDisk(), 2)
  isFull = false
  await spool.put(['shop/one'], 'edge-1', letter)
  assert.deepEqual([await onDisk(), spool.bytes], [1, 10])
})
