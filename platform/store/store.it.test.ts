import assert from 'node:assert/strict'
import { open, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { silentMetrics } from '../health/metrics.ts'
import { RefusedError } from '../lifecycle/errors.ts'
import { silentLogger } from '../log/logger.ts'
import { memoryLogger } from '../log/testing/index.ts'
import { systemClock } from '../time/system-clock.ts'
import { StoreClient, spawnWorker } from './client.ts'
import { openStore, type Store, type StoreDomain, type StoreOptions } from './index.ts'
import { storeMetrics } from './metrics.ts'
import { openTestStore } from './testing/index.ts'
import { pairs } from './testing/pairs.ts'

test('what was written is read, after a restart too, and a schema is migrated once', async (t) => {
  const file = aFile()
  const log = memoryLogger()
  const first = await openAt(file, { log })
  await add(first, 'a', 1)
  await first[Symbol.asyncDispose]()
  const again = await openAt(file, { log })
  t.after(() => again[Symbol.asyncDispose]())
  assert.deepEqual(await all(again), [{ key: 'a', value: 1 }])
  assert.deepEqual(
    log.lines.map(({ fields }) => fields['migrations']),
    [['0001-pairs']],
  )
  assert.equal((await stat(file)).mode & 0o777, 0o600)
})

test('a write that SQLite refuses fails alone', async (t) => {
  const store = await openTestStore(t, [pairs])
  await add(store, 'b', 0)
  const outcomes = await Promise.allSettled([add(store, 'a', 1), add(store, 'b', 2), add(store, 'c', 3)])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await keys(store), ['a', 'b', 'c'])
  await assert.rejects(add(store, 'b', 2), (error: unknown) => {
    assert.ok(error instanceof RefusedError)
    assert.equal(error.code, 'PLATFORM_STORE_REFUSED')
    assert.equal(error.fields['statement'], 'pairs.add')
    assert.match(String(error.fields['reason']), /UNIQUE/)
    return true
  })
})

test('the calls of one write are atomic among its neighbours', async (t) => {
  const store = await openTestStore(t, [pairs])
  const outcomes = await Promise.allSettled([
    add(store, 'a', 1),
    store.write([
      { statement: 'pairs.add', parameters: ['x', 1] },
      { statement: 'pairs.add', parameters: ['a', 1] },
    ]),
    add(store, 'c', 3),
  ])
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await keys(store), ['a', 'c'])
})

test('a statement that ends the transaction takes nobody along', async (t) => {
  const store = await openTestStore(t, [pairs])
  const writes = Array.from({ length: 9 }, (_, index) =>
    store.write([{ statement: 'pairs.addOrEnd', parameters: [index === 5 ? 'k0' : `k${index}`, index] }]),
  )
  const outcomes = await Promise.allSettled(writes)
  assert.deepEqual(
    outcomes.map(({ status }) => status === 'fulfilled'),
    [true, true, true, true, true, false, true, true, true],
  )
  assert.deepEqual(await keys(store), ['k0', 'k1', 'k2', 'k3', 'k4', 'k6', 'k7', 'k8'])
})

test('integers are numbers where they fit and bigints where they do not; bytes stay bytes', async (t) => {
  const store = await openTestStore(t, [pairs])
  const large = 2n ** 62n + 1n
  await Promise.all([add(store, 'a', 7), add(store, 'b', large), add(store, 'c', null), add(store, 'd', 2 ** 53 - 1)])
  assert.deepEqual(await all(store), [
    { key: 'a', value: 7 },
    { key: 'b', value: large },
    { key: 'c', value: null },
    { key: 'd', value: 2 ** 53 - 1 },
  ])
  const view = Buffer.from('..bytes..').subarray(2, 7)
  await store.write([{ statement: 'pairs.addBytes', parameters: ['e', view] }])
  const [row] = await store.read({ statement: 'pairs.bytes', parameters: ['e'] })
  assert.deepEqual(row, { bytes: new Uint8Array(Buffer.from('bytes')) })
})

test('a read sees the writes that were called before it', async (t) => {
  const store = await openTestStore(t, [pairs])
  const writing = add(store, 'a', 1)
  assert.deepEqual(await keys(store), ['a'])
  await writing
})

test('a full disk is said, and the store goes on once there is space', async (t) => {
  const store = await openTestStore(t, [pairs])
  await store.read({ statement: 'pairs.mostPages30', parameters: [] })
  const bytes = (key: string, length: number) =>
    store.write([{ statement: 'pairs.addBytes', parameters: [key, new Uint8Array(length)] }])
  const [small, huge, other] = await Promise.allSettled([bytes('a', 10), bytes('b', 200_000), bytes('c', 10)])
  assert.equal(small.status, 'fulfilled')
  assert.equal(other.status, 'fulfilled', 'a small write is not failed by a large one beside it')
  assert.ok(huge.status === 'rejected')
  assert.equal(huge.reason.code, 'PLATFORM_STORE_FULL')
  assert.equal(huge.reason.retry, 'backoff')
  await store.read({ statement: 'pairs.mostPagesAny', parameters: [] })
  await bytes('b', 200_000)
  assert.deepEqual(await keys(store), ['a', 'b', 'c'])
})

test('a file that is no database is refused by name', async () => {
  const file = aFile()
  await writeFile(file, 'this is a letter, not a database. '.repeat(100))
  await assert.rejects(openAt(file), (error: unknown) => isDamaged(error, file))
})

test('a page that rotted is found at the start', async () => {
  const file = aFile()
  const store = await openAt(file)
  await Promise.all(Array.from({ length: 3000 }, (_, index) => add(store, `key-${index}`, index)))
  await store[Symbol.asyncDispose]()
  const handle = await open(file, 'r+')
  await handle.write(Buffer.alloc(4096, 0xa5), 0, 4096, 4096 * 6)
  await handle.close()
  await assert.rejects(openAt(file), (error: unknown) => isDamaged(error, file))
})

test('closing flushes what was called before and refuses what comes after', async (t) => {
  const file = aFile()
  const store = await openAt(file)
  const writes = Promise.all(Array.from({ length: 9000 }, (_, index) => add(store, `k${index}`, index)))
  const closing = store[Symbol.asyncDispose]()
  await assert.rejects(add(store, 'late', 1), { code: 'PLATFORM_STORE_CLOSED' })
  await Promise.all([writes, closing, store[Symbol.asyncDispose]()])
  const again = await openAt(file)
  t.after(() => again[Symbol.asyncDispose]())
  assert.equal((await all(again)).length, 9000)
})

test('writes that come together are committed together, and counted', async (t) => {
  const counted = countingMetrics()
  const store = await openTestStore(t, [pairs], { metrics: counted.metrics })
  await Promise.all(Array.from({ length: 6000 }, (_, index) => add(store, `k${index}`, index)))
  assert.equal(counted.sum('skerry_store_writes_total'), 6000)
  assert.ok(counted.sum('skerry_store_commits_total') < 100, `${counted.sum('skerry_store_commits_total')} commits`)
  assert.ok(counted.sum('skerry_store_delayed_total') >= 2000, 'the worker is given a bounded number at once')
  await assert.rejects(add(store, 'k1', 1))
  assert.equal(counted.sum('skerry_store_errors_total'), 1)
})

test('more calls than may wait are refused at once', async (t) => {
  const store = await openTestStore(t, [pairs], { mostWaiting: 3 })
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, (_, index) => add(store, `k${index}`, index)))
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'written')),
    ['written', 'written', 'written', 'PLATFORM_STORE_OVERLOADED', 'PLATFORM_STORE_OVERLOADED'],
  )
})

test('a worker that dies is replaced, and nothing acknowledged is lost', async (t) => {
  const log = memoryLogger()
  const workers: Worker[] = []
  const store = new StoreClient({
    settings: {
      file: aFile(),
      domains: [pairs],
      durability: 'full',
      onDamage: 'refuse',
      groupSize: 10,
      shrinks: false,
      checksSchema: false,
    },
    clock: systemClock,
    log,
    metrics: storeMetrics(silentMetrics, 'skerry.db'),
    mostWaiting: 100,
    spawn(settings) {
      const worker = spawnWorker(settings)
      workers.push(worker)
      return worker
    },
  })
  await store.open()
  t.after(() => store[Symbol.asyncDispose]())
  await add(store, 'a', 1)
  const inFlight = add(store, 'b', 2)
  await Promise.resolve()
  const [outcome] = await Promise.allSettled([inFlight, workers[0]?.terminate()])
  if (outcome.status === 'rejected') assert.equal(outcome.reason.code, 'PLATFORM_STORE_STOPPED')
  await add(store, 'c', 3)
  const found = await keys(store)
  assert.ok(found.includes('a') && found.includes('c'))
  assert.ok(outcome.status === 'rejected' || found.includes('b'), 'what was acknowledged is there')
  assert.equal(workers.length, 2)
  assert.equal(log.messages('error').length, 1)
})

test('a statement that nobody declared is a bug of the caller', async (t) => {
  const store = await openTestStore(t, [pairs])
  await assert.rejects(store.read({ statement: 'pairs.other', parameters: [] }), {
    name: 'BugError',
    code: 'PLATFORM_STORE_STATEMENT_UNKNOWN',
  })
})

test('migrations of all domains run by their numbers, and one that fails leaves nothing behind', async () => {
  const file = aFile()
  const late = aDomain('late', '0003-late', ['CREATE TABLE late AS SELECT * FROM early'])
  const early = aDomain('early', '0002-early', ['CREATE TABLE early (id integer)'])
  const broken = aDomain('broken', '0004-broken', ['CREATE TABLE half (id integer)', 'CREATE TABLE half (id integer)'])
  await assert.rejects(openStore(file, [late, early, broken], ports), /refused a statement/)
  const repaired = aDomain('broken', '0004-broken', ['CREATE TABLE half (id integer)'])
  const store = await openStore(file, [late, early, repaired], ports)
  await store[Symbol.asyncDispose]()
})

test('tables that the migrations do not make are found by every test', async (t) => {
  const forgotten: StoreDomain = {
    ...pairs,
    migrations: [{ name: '0001-pairs', up: ['CREATE TABLE pair (key text)'] }],
  }
  const { statements: _, ...rest } = forgotten
  await assert.rejects(openTestStore(t, [{ ...rest, statements: {} }]), (error: unknown) => {
    assert.ok(error instanceof Error && 'fields' in error)
    assert.match(JSON.stringify(error.fields), /do not make the declared tables/)
    return true
  })
})

test('several stores live in one process, durable by default', async (t) => {
  const [one, two] = await Promise.all([openTestStore(t, [pairs]), openAt(aFile())])
  t.after(() => two[Symbol.asyncDispose]())
  await Promise.all([add(one, 'a', 1), add(two, 'b', 2)])
  assert.deepEqual([await keys(one), await keys(two)], [['a'], ['b']])
  assert.deepEqual(await two.read({ statement: 'pairs.synchronous', parameters: [] }), [{ synchronous: 2 }])
})

const ports = { clock: systemClock, log: silentLogger }

function aFile(): string {
  return join(temporaryFolder('skerry-store-'), 'skerry.db')
}

function openAt(file: string, options: Partial<StoreOptions> = {}): Promise<Store> {
  return openStore(file, [pairs], { ...ports, ...options })
}

function add(store: Store, key: string, value: number | bigint | null): Promise<void> {
  return store.write([{ statement: 'pairs.add', parameters: [key, value] }])
}

function all(store: Store) {
  return store.read({ statement: 'pairs.all', parameters: [] })
}

async function keys(store: Store) {
  return (await all(store)).map(({ key }) => key)
}

function aDomain(name: string, migration: string, up: readonly string[]): StoreDomain {
  return { name, tables: [], migrations: [{ name: migration, up }], statements: {} }
}

function isDamaged(error: unknown, file: string): boolean {
  assert.ok(error instanceof Error && 'code' in error && 'fields' in error)
  assert.equal(error.code, 'PLATFORM_STORE_DAMAGED')
  assert.match(JSON.stringify(error.fields), new RegExp(`"file":"${file}"`))
  return true
}

function countingMetrics() {
  const sums = new Map<string, number>()
  const count = (name: string, by: number) => void sums.set(name, (sums.get(name) ?? 0) + by)
  const metrics: StoreOptions['metrics'] = {
    counter: ({ name }) => ({ add: (by = 1) => count(name, by) }),
    gauge: () => ({ set: () => undefined, follow: () => ({ [Symbol.dispose]: () => undefined }) }),
    histogram: ({ name }) => ({ observe: () => count(name, 1) }),
    text: async () => '',
  }
  return { metrics, sum: (name: string) => sums.get(name) ?? 0 }
}
