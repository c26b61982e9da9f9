import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../../../../platform/log/testing/index.ts'
import { ms } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { metaStoreDomain } from '../../meta/meta-store.ts'
import { memoryStore } from '../../testing/memory-store.ts'
import { NodeVersions } from './node-versions.ts'

const log = memoryLogger()

test('no version is given twice: after a kill, by a clock that went back, and by a database that did', async () => {
  const clock = new FakeClock()
  const store = memoryStore([metaStoreDomain])
  const versions = await NodeVersions.open({ store, clock, log })
  let last = 0
  for (let count = 0; count < 1_200_000; count++) last = versions.next()
  assert.ok(last > clock.now() * 1000)
  // A kill leaves nothing but the disk.
  const again = await NodeVersions.open({ store, clock: new FakeClock(), log })
  assert.ok(again.next() > last)
  await clock.advance(ms(2000))
  const restored = await NodeVersions.open({ store: memoryStore([metaStoreDomain]), clock, log })
  assert.ok(restored.next() > last)
})

test('a disk that takes nothing stops no change', async () => {
  const store = memoryStore([metaStoreDomain])
  const versions = await NodeVersions.open({ store, clock: new FakeClock(), log })
  store.failure = 'disk full'
  const first = versions.next()
  for (let count = 0; count < 600_000; count++) versions.next()
  assert.ok(versions.next() > first)
})
