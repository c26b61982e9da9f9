import assert from 'node:assert/strict'
import { copyFile, open, readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createMetrics } from '../health/index.ts'
import { createScope } from '../lifecycle/scope.ts'
import { memoryLogger } from '../log/testing/index.ts'
import { ms, seconds } from '../time/duration.ts'
import { systemClock } from '../time/system-clock.ts'
import { FakeClock } from '../time/testing/index.ts'
import { createStoreModule, type OpenedStore, type Store } from './index.ts'
import { aFolder, openAt } from './testing/file-of-test.ts'

const HOUR = 3_600_000
const never = new AbortController().signal

test('a backup is the database of its moment, and commits go on while it is made', async (t) => {
  const { file } = aFolder()
  const store = await openAt(t, file)
  await Promise.all(Array.from({ length: 20_000 }, (_, index) => add(store, index)))
  let isMade = false
  let during = 0
  const making = store.backup(2, never).finally(() => {
    isMade = true
  })
  for (let key = 20_000; !isMade; key++, during++) await add(store, key)
  await making
  assert.ok(during > 5, `${during} commits while the backup was made`)
  assert.equal((await stat(`${file}.backup-1`)).mode & 0o777, 0o600)

  const copy = await openAt(t, await copied(file))
  const kept = await count(copy)
  assert.ok(kept >= 20_000 && kept <= 20_000 + during, `${kept}`)
})

test('a backup that is put back, by hand too, bears another incarnation than the file it was made of', async (t) => {
  const { file } = aFolder()
  const store = await openAt(t, file)
  await store.backup(2, never)
  const second = await copied(file)
  const copy = await openAt(t, second)
  assert.notEqual(copy.incarnation, store.incarnation)
  await copy.backup(2, never)
  const third = await openAt(t, await copied(second))
  assert.notEqual(third.incarnation, copy.incarnation)
})

test('so many backups are kept as wanted, the newest with number 1, and nothing else is left', async (t) => {
  const { folder, file } = aFolder()
  const clock = new FakeClock()
  const store = await openAt(t, file, { clock })
  for (let round = 0; round < 4; round++) {
    await add(store, round)
    await store.backup(3, never)
    await clock.advance(ms(HOUR))
  }
  const names = (await readdir(folder)).filter((name) => name.includes('backup')).sort()
  assert.deepEqual(names, ['skerry.db.backup-1', 'skerry.db.backup-2', 'skerry.db.backup-3'])
  const ages = await Promise.all(names.map(async (name) => clock.now() - (await stat(join(folder, name))).mtimeMs))
  assert.deepEqual(ages, [HOUR, 2 * HOUR, 3 * HOUR])
  await store.backup(1, never)
  assert.equal((await readdir(folder)).filter((name) => name.includes('backup')).length, 1)
})

test('a damaged file is not copied over its sound backups, and is known as damaged from then on', async (t) => {
  const { file } = aFolder()
  const store = await openAt(t, file)
  await Promise.all(Array.from({ length: 3000 }, (_, index) => add(store, index)))
  await store.backup(2, never)
  await store[Symbol.asyncDispose]()
  const again = await openAt(t, file)
  await rot(file)
  await assert.rejects(again.backup(2, never), { code: 'PLATFORM_STORE_DAMAGED' })
  assert.equal((await again.damage).code, 'PLATFORM_STORE_DAMAGED')
  await again[Symbol.asyncDispose]()
  const recovered = await openAt(t, file, { onDamage: 'restore' })
  assert.equal(recovered.recovered?.from, 'backup')
  assert.equal(await count(recovered), 3000)
})

test('the module backs up soon after the first start, then in its rhythm, and only what has changed', async (t) => {
  const { folder, file } = aFolder()
  const clock = new FakeClock(systemClock.now())
  const log = memoryLogger()
  const metrics = createMetrics()
  const store = await openAt(t, file, { clock })
  const module = await startModule(t, { store, file, clock, log, metrics })
  const backups = async () => (await readdir(folder)).filter((name) => name.includes('backup')).length
  const made = () => log.messages('info').filter((message) => message.includes('backed up')).length
  await clock.advance(seconds(31))
  await until(() => made() === 1)
  await add(store, 1)
  await clock.advance(ms(23 * HOUR))
  assert.equal(made(), 1)
  await clock.advance(ms(HOUR))
  await until(() => made() === 2)
  await clock.advance(ms(48 * HOUR))
  assert.equal(made(), 2, 'nothing has changed')
  assert.equal(await backups(), 2)
  assert.match(await metrics.text(), /skerry_store_backups_total\{store="skerry.db",outcome="made"\} 2/)
  await module.close(seconds(5))

  const restarted = await startModule(t, { store, file, clock, log, metrics })
  await add(store, 2)
  await clock.advance(seconds(60))
  await until(() => made() === 3)
  await restarted.close(seconds(5))
})

test('a backup that fails is said once, counted, and tried again', async (t) => {
  const { file } = aFolder()
  const clock = new FakeClock(systemClock.now())
  const log = memoryLogger()
  const metrics = createMetrics()
  const store = await openAt(t, file, { clock })
  let isFull = true
  const failing: OpenedStore = Object.create(store, {
    backup: {
      value: async (keep: number, signal: AbortSignal) => {
        if (isFull) throw new Error('no space')
        await store.backup(keep, signal)
      },
    },
    commits: { get: () => 1 },
    damage: { get: () => store.damage },
  })
  await startModule(t, { store: failing, file, clock, log, metrics })
  await clock.advance(ms(2 * HOUR))
  assert.equal(log.messages('error').length, 1)
  assert.match(await metrics.text(), /outcome="failed"\} [5-9]/)
  isFull = false
  await clock.advance(ms(HOUR))
  await until(() => log.messages('info').length > 0)
  assert.match(await metrics.text(), /outcome="made"\} 1/)
})

test('damage that is met in use is said, ends the module, and the next start reads everything', async (t) => {
  const { file } = aFolder()
  const log = memoryLogger()
  const filled = await openAt(t, file)
  await Promise.all(Array.from({ length: 3000 }, (_, index) => add(filled, index)))
  await filled.backup(2, never)
  await filled[Symbol.asyncDispose]()

  const store = await openAt(t, file, { log, onDamage: 'restore' })
  const crashed = Promise.withResolvers<unknown>()
  const clock = new FakeClock()
  await startModule(t, { store, file, clock, log, metrics: createMetrics(), onCrash: crashed.resolve })
  await rot(file)
  await store.read({ statement: 'pairs.forgetPages', parameters: [] })
  await assert.rejects(store.read({ statement: 'pairs.all', parameters: [] }), { code: 'PLATFORM_STORE_DAMAGED' })
  const reason = await crashed.promise
  assert.ok(reason instanceof Error && 'code' in reason && reason.code === 'PLATFORM_STORE_DAMAGED')
  assert.equal(log.messages('error').filter((message) => message.includes('while it was in use')).length, 1)
  await store[Symbol.asyncDispose]()
  await stat(`${file}.suspect`)

  const again = await openAt(t, file, { onDamage: 'restore' })
  assert.equal(again.recovered?.from, 'backup')
  await assert.rejects(stat(`${file}.suspect`), 'it was looked into')
})

test('a suspicion that does not prove true is dropped', async (t) => {
  const { file } = aFolder()
  await (await openAt(t, file))[Symbol.asyncDispose]()
  await writeFile(`${file}.suspect`, '')
  const store = await openAt(t, file, { onDamage: 'restore' })
  assert.equal(store.recovered, undefined)
  await assert.rejects(stat(`${file}.suspect`))
})

interface Parts {
  readonly store: OpenedStore
  readonly file: string
  readonly clock: FakeClock
  readonly log: ReturnType<typeof memoryLogger>
  readonly metrics: ReturnType<typeof createMetrics>
  readonly onCrash?: (error: unknown) => void
}

async function startModule(t: TestContext, { onCrash = () => undefined, ...parts }: Parts) {
  const scope = createScope('Store', { clock: systemClock, log: parts.log, deadline: seconds(5), onCrash })
  t.after(() => scope.close(seconds(5)))
  const random = { next: () => 0.5, uuid: () => '', bytes: () => new Uint8Array() }
  await createStoreModule({ ...parts, random, backup: { every: ms(24 * HOUR), keep: 2 } }).start(scope)
  return scope
}

async function copied(file: string): Promise<string> {
  const target = `${file}.copy`
  await copyFile(`${file}.backup-1`, target)
  return target
}
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await systemClock.sleep(ms(5))
}

function add(store: Store, key: number): Promise<void> {
  return store.write([{ statement: 'pairs.add', parameters: [`key-${key}`, key] }])
}

async function count(store: Store): Promise<number> {
  return (await store.read({ statement: 'pairs.all', parameters: [] })).length
}

async function rot(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  await handle.write(Buffer.alloc(4096 * 12, 0xa5), 0, 4096 * 12, 4096 * 6)
  await handle.close()
}
