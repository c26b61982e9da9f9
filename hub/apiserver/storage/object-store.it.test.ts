import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { silentMetrics } from '../../../platform/health/index.ts'
import type { Store, StoreCall } from '../../../platform/store/index.ts'
import { openTestStore } from '../../../platform/store/testing/index.ts'
import { minutes } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { compactOld } from './compaction.ts'
import { kubernetesStore } from './domain.ts'
import { ObjectStore } from './object-store.ts'

const MAPS = '/configmaps'
const map = (name: string, data: Record<string, string> = {}): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default' },
  data,
})

async function open(store: Store, history?: number): Promise<ObjectStore> {
  const objects = new ObjectStore({ store, metrics: silentMetrics, ...(history === undefined ? {} : { history }) })
  await objects.load()
  return objects
}

const put = (objects: ObjectStore, name: string, data?: Record<string, string>) =>
  objects.change(MAPS, `default/${name}`, () => map(name, data))

describe('the objects of the embedded API', () => {
  it('keep their resourceVersions strictly increasing over a restart, also after a deletion', async (t: TestContext) => {
    const store = await openTestStore(t, [kubernetesStore])
    const first = await open(store)
    await put(first, 'a')
    await put(first, 'b')
    await first.change(MAPS, 'default/b', () => undefined)
    const second = await open(store)
    assert.equal(second.version, first.version)
    assert.deepEqual(
      second.list(MAPS).map(([key]) => key),
      ['default/a'],
    )
    const made = await put(second, 'c')
    assert.ok(Number(made?.metadata['resourceVersion']) > first.version)
  })

  it('become visible in the order of their versions, whatever the order in which writes settle', async () => {
    const writes: PromiseWithResolvers<void>[] = []
    const objects = await open(fakeStore(writes))
    const seen: number[] = []
    using _listening = objects.onChange((_, { version }) => void seen.push(version))
    const all = Promise.all(['a', 'b', 'c'].map((name) => put(objects, name)))
    await settled()
    for (const write of [...writes].reverse()) write.resolve()
    await all
    assert.deepEqual(
      seen,
      [...seen].sort((one, other) => one - other),
    )
    assert.equal(seen.length, 3)
  })

  it('a write that fails is answered 503 and seen by nobody', async () => {
    const writes: PromiseWithResolvers<void>[] = []
    const objects = await open(fakeStore(writes))
    const failing = put(objects, 'a')
    await settled()
    writes[0]?.reject(new Error('disk'))
    await assert.rejects(failing, (error) => error instanceof StatusError && error.status.code === 503)
    assert.equal(objects.get(MAPS, 'default/a'), undefined)
    const next = put(objects, 'a')
    await settled()
    writes[1]?.resolve()
    assert.ok(await next)
  })

  it('changes of one object see each other, one at a time', async (t: TestContext) => {
    const objects = await open(await openTestStore(t, [kubernetesStore]))
    await put(objects, 'count', { n: '0' })
    const add = () =>
      objects.change(MAPS, 'default/count', (current) => {
        const data: unknown = current?.['data']
        const n = typeof data === 'object' && data !== null ? Number(Reflect.get(data, 'n')) : Number.NaN
        return map('count', { n: String(n + 1) })
      })
    await Promise.all(Array.from({ length: 100 }, add))
    assert.deepEqual(objects.get(MAPS, 'default/count')?.['data'], { n: '100' })
  })

  it('refuse what there is no room for, but not what takes less or goes; also after a restart', async (t: TestContext) => {
    const store = await openTestStore(t, [kubernetesStore])
    const open = async () => {
      const objects = new ObjectStore({ store, metrics: silentMetrics, mostText: 3000 })
      await objects.load()
      return objects
    }
    const isFull = (error: unknown) =>
      error instanceof StatusError && /^etcdserver: mvcc: database space exceeded: /.test(error.status.message ?? '')
    const first = await open()
    await put(first, 'a', { key: 'x'.repeat(2000) })
    await assert.rejects(put(first, 'b', { key: 'x'.repeat(2000) }), isFull)
    const objects = await open()
    await assert.rejects(put(objects, 'b', { key: 'x'.repeat(2000) }), isFull)
    await put(objects, 'b', { key: 'x'.repeat(200) })
    await assert.rejects(put(objects, 'b', { key: 'x'.repeat(2000) }), isFull)
    await put(objects, 'a', { key: 'x'.repeat(100) })
    await put(objects, 'b', { key: 'x'.repeat(2000) })
    await objects.change(MAPS, 'default/b', () => undefined)
    await put(objects, 'c', { key: 'x'.repeat(2000) })
    assert.ok(objects.version > first.version)
  })

  it('have the room back of a change that could not be made durable', async () => {
    const writes: PromiseWithResolvers<void>[] = []
    const objects = new ObjectStore({ store: fakeStore(writes), metrics: silentMetrics, mostText: 3000 })
    await objects.load()
    for (let tries = 0; tries < 3; tries++) {
      const failing = put(objects, 'a', { key: 'x'.repeat(2000) })
      await settled()
      writes[tries]?.reject(new Error('disk'))
      await assert.rejects(failing, (error) => error instanceof StatusError && error.status.code === 503)
    }
  })

  it('refuse an object that no request could bring, and go on', async (t: TestContext) => {
    const objects = await open(await openTestStore(t, [kubernetesStore]))
    await assert.rejects(put(objects, 'a', { key: 'x'.repeat(3 * 1024 * 1024) }), /etcdserver: request is too large/)
    await put(objects, 'a')
  })

  it('refuse more than a bounded number of waiting changes of one object with 429', async () => {
    const objects = await open(fakeStore([]))
    const waiting = Array.from({ length: 500 }, () => put(objects, 'a'))
    for (const each of waiting) each.catch(() => undefined)
    await assert.rejects(put(objects, 'a'), (error) => error instanceof StatusError && error.status.code === 429)
  })

  it('forget changes that are older than an hour, and keep younger ones', async (t: TestContext) => {
    const objects = await open(await openTestStore(t, [kubernetesStore]))
    const clock = new FakeClock()
    const stop = new AbortController()
    const running = compactOld(objects, clock, stop.signal)
    await put(objects, 'a')
    const old = objects.version
    await clock.advance(minutes(30))
    await put(objects, 'b')
    await clock.advance(minutes(45))
    assert.equal(objects.view(MAPS, old - 1), undefined)
    assert.equal(objects.view(MAPS, old)?.countBefore(), 1)
    stop.abort()
    await running
  })

  it('can be listed as of an earlier version until it is compacted', async (t: TestContext) => {
    const objects = await open(await openTestStore(t, [kubernetesStore]), 5)
    await put(objects, 'a')
    const before = objects.version
    await put(objects, 'b')
    await objects.change(MAPS, 'default/a', () => undefined)
    const past = objects.view(MAPS, before)
    assert.ok(past)
    assert.deepEqual(
      [...past.from('')].map(([key]) => key),
      ['default/a'],
    )
    for (let count = 0; count < 20; count++) await put(objects, 'b', { count: String(count) })
    assert.equal(objects.view(MAPS, before), undefined)
  })
})

/** A store of which the test decides when each write is durable. */
function fakeStore(writes: PromiseWithResolvers<void>[]): Store {
  return {
    write: (_calls: readonly StoreCall[]) => {
      const write = Promise.withResolvers<void>()
      writes.push(write)
      return write.promise
    },
    read: async () => [],
    [Symbol.asyncDispose]: async () => undefined,
  }
}

/** Lets everything run that waits for nothing. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}
