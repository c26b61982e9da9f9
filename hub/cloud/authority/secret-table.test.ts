import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '../../../schemas/index.ts'
import { type ObjectKey, type ResourceType, SECRETS } from '../kubernetes/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import type { Edits } from './change-queue.ts'
import { SecretTable } from './secret-table.ts'

const NAME = 'numbers'
const AT = { namespace: 'kubeedge', name: NAME }

function bench(kubernetes = new FakeKubernetes()) {
  const seen: string[] = []
  const table = new SecretTable<number>({
    kubernetes,
    name: NAME,
    read: (value) => (typeof value === 'number' ? value : undefined),
    onWritten: ({ metadata }) => void seen.push(metadata.resourceVersion ?? ''),
  })
  const set = (edits: Edits<number>, signal?: AbortSignal) => table.update(() => ({ edits, result: edits }), signal)
  /** Its result is what it found. */
  const add = (key: string) =>
    table.update((entries) => {
      const found = entries.get(key) ?? 0
      return { edits: { [key]: found + 1 }, result: found }
    })
  const writes = () => kubernetes.writes.filter((call) => call.includes('secrets'))
  const entries = async () => Object.fromEntries(await table.entries())
  return { kubernetes, table, seen, set, add, writes, entries }
}

test('changes that wait share one write, and each sees those before it', async () => {
  const { add, set, writes, entries, seen } = bench()
  await set({ a: 10, b: 1 })
  const before = writes().length
  const results = await Promise.all([add('a'), add('a'), set({ b: undefined }), add('b'), add('a')])
  assert.deepEqual(results, [10, 11, { b: undefined }, 0, 12])
  assert.deepEqual(await entries(), { a: 13, b: 1 })
  assert.equal(writes().length - before, 1)
  assert.equal(seen.length, 2)
})

test('a table whose writes nobody wants to hear of is written all the same', async () => {
  const { kubernetes, entries } = bench()
  const table = new SecretTable<number>({ kubernetes, name: NAME, read: () => 1 })
  await table.update(() => ({ edits: { a: 1 }, result: undefined }))
  assert.deepEqual(await entries(), { a: 1 })
})

test('what comes while a write is under way is one more write, and a batch is bounded', async () => {
  const { kubernetes, add, set, writes } = bench()
  await set({ a: 0 })
  const before = writes().length
  const begun = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const patch = kubernetes.patch.bind(kubernetes)
  kubernetes.patch = async (...given) => {
    begun.resolve()
    await go.promise
    return patch(...given)
  }
  const first = add('a')
  await begun.promise
  const rest = Array.from({ length: 100 }, () => add('a'))
  go.resolve()
  assert.deepEqual(
    await Promise.all([first, ...rest]),
    Array.from({ length: 101 }, (_, at) => at),
  )
  assert.equal(writes().length - before, 3)
})

test('a change that throws tells its caller alone, and no edits write nothing', async () => {
  const { table, add, writes, entries } = bench()
  const full = table.update(() => {
    throw new RangeError('full')
  })
  const [failed, added] = await Promise.allSettled([full, add('a')])
  assert.ok(failed.status === 'rejected' && failed.reason instanceof RangeError)
  assert.deepEqual(added, { status: 'fulfilled', value: 0 })
  const before = writes().length
  assert.equal(await table.update((all) => ({ edits: {}, result: all.get('a') })), 1)
  assert.equal(writes().length, before)
  assert.deepEqual(await entries(), { a: 1 })
})

test('the whole batch is asked again where another replica was faster, and loses none of its changes', async () => {
  const { kubernetes, add, set, entries } = bench()
  await set({ a: 1, other: 1 })
  const patch = kubernetes.patch.bind(kubernetes)
  kubernetes.patch = async (...given) => {
    kubernetes.patch = patch
    await patch(SECRETS, AT, { data: { other: btoa('7'), a: btoa('5') } }, { type: 'merge' })
    return patch(...given)
  }
  assert.deepEqual(await Promise.all([add('a'), add('a'), add('other')]), [5, 6, 7])
  assert.deepEqual(await entries(), { a: 7, other: 8 })
})

test('a write that fails reaches all of its batch, and not the next', async () => {
  const { kubernetes, add, set, entries } = bench()
  await set({ a: 1 })
  kubernetes.fail('PATCH secrets', 503)
  const failed = await Promise.allSettled([add('a'), add('b')])
  assert.deepEqual(
    failed.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  await add('b')
  assert.deepEqual(await entries(), { a: 1, b: 1 })
})

test('a change that the API refuses fails no other of its batch', async () => {
  const { kubernetes, add, set, entries } = bench()
  await set({ a: 1 })
  const patch = kubernetes.patch.bind(kubernetes)
  kubernetes.patch = async (type, at, body, ...rest) => {
    if (JSON.stringify(body).includes('huge')) kubernetes.fail('PATCH secrets', 413)
    return patch(type, at, body, ...rest)
  }
  const settled = await Promise.allSettled([add('a'), add('huge'), add('b')])
  assert.deepEqual(
    settled.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(await entries(), { a: 2, b: 1 })
})

test('who gives up while it waits is told at once and changes nothing', async () => {
  const { kubernetes, add, set, entries } = bench()
  await set({ a: 1 })
  const go = Promise.withResolvers<void>()
  const get = kubernetes.get.bind(kubernetes)
  kubernetes.get = async (...given) => {
    await go.promise
    return get(...given)
  }
  const first = add('a')
  const caller = new AbortController()
  const early = set({ b: 1 }, caller.signal)
  await new Promise((resolve) => setImmediate(resolve))
  const late = set({ c: 1 }, caller.signal)
  caller.abort(new Error('gone'))
  await assert.rejects(early, /gone/)
  await assert.rejects(late, /gone/)
  await assert.rejects(set({ d: 1 }, caller.signal), /gone/)
  go.resolve()
  await first
  assert.deepEqual(await entries(), { a: 2 })
})

/** Its next reads are never answered. */
class SilentKubernetes extends FakeKubernetes {
  isSilent = false

  override async get<T extends KubeObject>(
    type: ResourceType<T>,
    at: ObjectKey,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    if (!this.isSilent) return super.get(type, at)
    const ended = Promise.withResolvers<never>()
    signal?.addEventListener('abort', () => ended.reject(signal.reason))
    return ended.promise
  }
}

test('a call to the API ends when nobody waits for it any more, and the next change has its turn', async () => {
  const kubernetes = new SilentKubernetes()
  const { add, set, entries } = bench(kubernetes)
  await set({ a: 1 })
  kubernetes.isSilent = true
  const caller = new AbortController()
  const one = set({ b: 1 }, caller.signal)
  const two = set({ c: 1 }, caller.signal)
  await new Promise((resolve) => setImmediate(resolve))
  kubernetes.isSilent = false
  const next = add('a')
  caller.abort(new Error('gone'))
  await assert.rejects(one, /gone/)
  await assert.rejects(two, /gone/)
  await next
  assert.deepEqual(await entries(), { a: 2 })
})
