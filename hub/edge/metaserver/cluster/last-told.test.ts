import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentMetrics } from '../../../../platform/health/index.ts'
import { memoryLogger } from '../../../../platform/log/testing/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import { EVERYBODY } from '../../../kube/rbac/index.ts'
import { metaStoreDomain } from '../../meta/meta-store.ts'
import { type MemoryStore, memoryStore } from '../../testing/memory-store.ts'
import { OPERATORS } from '../access/rights.ts'
import { Copies } from '../requests/copies.ts'
import { fakeApplications } from '../testing/fake-applications.ts'
import { LastTold } from './last-told.ts'
import { ToldDocuments } from './told-documents.ts'

const signal = new AbortController().signal
const asker = (name: string) => ({ user: { name, groups: [EVERYBODY] }, token: `of ${name}`, signal })
const operator = { user: { name: 'op', groups: [OPERATORS] }, token: 'local', signal }
const answer = (what: string) => ({ code: 200, object: { what }, tag: `"${what}"` })

interface Options {
  readonly store?: MemoryStore
  /** Absent: true. */
  readonly isTaken?: boolean
}

async function open({ store = memoryStore([metaStoreDomain]), isTaken = true }: Options = {}) {
  const clock = new FakeClock()
  const log = memoryLogger()
  const cloud = fakeApplications()
  const documents = new ToldDocuments({ store, clock, log }, [])
  const copies = new Copies({ store, clock, log })
  await documents.open()
  await copies.open()
  const seen: unknown[] = []
  const known = new Map<string, boolean>()
  const rights = {
    decide: ({ name }: { readonly name: string }) => {
      const allowed = name === 'op' || known.get(name)
      return allowed === undefined ? undefined : { allowed, reason: '' }
    },
  }
  const asked = silentMetrics.counter({ name: 'a', help: 'a', labels: ['outcome'] })
  const take = (_path: string, object: JsonObject) => seen.push(object['what']) > 0 && object['what'] !== 'nonsense'
  const told = new LastTold(
    { applications: cloud, documents, rights, copies, clock, log, asked, signal },
    {
      ...{ paths: ['/apis'], rest: seconds(2), patience: seconds(3) },
      ...(isTaken ? { take } : {}),
    },
  )
  await told.open()
  return { told, cloud, clock, log, seen, store, known, documents }
}

test('each caller asks in his own name, an operator as the node, and not again at once', async () => {
  const { told, cloud, clock, seen } = await open()
  cloud.paths.set('/apis', answer('one'))
  assert.equal(await told.isShownTo(asker('ann')), true)
  assert.equal(await told.isShownTo(asker('ann')), true)
  assert.equal(await told.isShownTo(operator), true)
  const asks = () => cloud.reads.map(({ token, knownTag }) => [token, knownTag])
  assert.deepEqual(asks(), [
    ['of ann', undefined],
    [undefined, '"one"'],
  ])
  cloud.paths.set('/apis', answer('two'))
  await clock.advance(seconds(2))
  assert.equal(await told.isShownTo(asker('ann')), true)
  assert.deepEqual(seen, ['one', 'two'])
  told.expire()
  await told.isShownTo(asker('ann'))
  assert.deepEqual(asks().at(-1), ['of ann', '"two"'])
})

test('who may not know in the cluster may not know here, with the cloud and without it', async () => {
  const { told, cloud, known } = await open()
  cloud.paths.set('/apis', answer('one'))
  cloud.refuse = ({ token }) => (token === 'of eve' ? { code: 403, object: {} } : undefined)
  assert.equal(await told.isShownTo(asker('ann')), true)
  assert.equal(await told.isShownTo(asker('eve')), false)
  // Whoever acts as somebody else has no token of his.
  assert.equal(await told.isShownTo({ ...asker('guest'), token: undefined }), false)
  cloud.isConnected = false
  assert.deepEqual(await Promise.all(['ann', 'eve', 'new'].map((name) => told.isShownTo(asker(name)))), [
    true,
    false,
    false,
  ])
  known.set('new', true)
  known.set('ann', false)
  assert.deepEqual(await Promise.all(['ann', 'new'].map((name) => told.isShownTo(asker(name)))), [false, true])
})

test('after a restart without the cloud the last answer serves those who were told', async () => {
  const { told, cloud, store } = await open()
  cloud.paths.set('/apis', answer('one'))
  await told.isShownTo(asker('ann'))
  const next = await open({ store })
  next.cloud.isConnected = false
  assert.deepEqual(next.seen, ['one'])
  assert.equal(await next.told.isShownTo(asker('ann')), true)
  assert.equal(await next.told.isShownTo(asker('bob')), false)
  next.cloud.isConnected = true
  next.cloud.paths.set('/apis', answer('one'))
  assert.equal(await next.told.isShownTo(asker('bob')), true)
  assert.equal(next.cloud.reads[0]?.knownTag, '"one"')
})

test('a cloud that is slow is waited for within bounds, and one that fails is left alone for a while', async () => {
  const { told, cloud, clock, log } = await open()
  cloud.paths.set('/apis', answer('one'))
  await told.isShownTo(operator)
  const late = Promise.withResolvers<void>()
  const read = cloud.read
  cloud.read = async (request, given) => {
    const found = await read(request, given)
    await late.promise
    return found
  }
  await clock.advance(seconds(2))
  const waiting = told.isShownTo(operator)
  await clock.advance(seconds(3))
  assert.equal(await waiting, true)
  late.resolve()
  cloud.read = read
  await clock.advance(seconds(2))
  for (const bad of [{ code: 500 }, { code: 200, object: { what: 'nonsense' }, tag: '"x"' }]) {
    cloud.paths.set('/apis', bad)
    const before = cloud.reads.length
    assert.equal(await told.isShownTo(operator), true)
    assert.equal(await told.isShownTo(operator), true)
    told.expire()
    assert.equal(await told.isShownTo(operator), true)
    assert.equal(cloud.reads.length, before + 1)
    await clock.advance(seconds(30))
  }
  assert.equal(log.messages('warn').length, 1, 'told once')
})

test('an answer that is too large is not taken, and what was known stays', async () => {
  const { told, cloud, clock, documents, seen } = await open()
  cloud.paths.set('/apis', answer('one'))
  await told.isShownTo(operator)
  cloud.paths.set('/apis', { code: 200, object: { what: 'x'.repeat(9_000_000) }, tag: '"huge"' })
  await clock.advance(seconds(2))
  assert.equal(await told.isShownTo(operator), true)
  assert.deepEqual([seen, documents.tagOf('/apis')], [['one'], '"one"'])
})

test('a cloud without entity tags costs no write for what stays', async () => {
  const { told, cloud, clock, store } = await open()
  cloud.paths.set('/apis', { code: 200, object: { what: 'one' } })
  await told.isShownTo(operator)
  const written = store.written.length
  await clock.advance(seconds(2))
  assert.equal(await told.isShownTo(operator), true)
  assert.equal(cloud.reads.length, 2)
  assert.equal(store.written.length, written)
})

test('what changes while the cluster is being asked is asked for again', async () => {
  const { told, cloud, seen } = await open()
  const late = Promise.withResolvers<void>()
  const { read } = cloud
  cloud.paths.set('/apis', answer('one'))
  cloud.read = async (request, given) => {
    const found = await read(request, given)
    await late.promise
    return found
  }
  const first = told.isShownTo(operator)
  cloud.paths.set('/apis', answer('two'))
  told.expire()
  late.resolve()
  await first
  await told.isShownTo(operator)
  assert.deepEqual(seen, ['one', 'two'])
})

test('what had to make room on disk is asked for as if it had never been here', async () => {
  const { told, cloud, clock, documents } = await open({ isTaken: false })
  cloud.paths.set('/apis', answer('one'))
  assert.equal(await told.isShownTo(operator), true)
  for (const path of ['1', '2', '3']) await documents.keep(path, path, path.repeat(7_000_000))
  assert.equal(documents.tagOf('/apis'), undefined)
  await clock.advance(seconds(2))
  assert.equal(await told.isShownTo(operator), true)
  assert.equal(documents.tagOf('/apis'), '"one"')
})

test('a cloud of KubeEdge is not asked, and nothing is shown', async () => {
  const { told, cloud } = await open()
  cloud.paths.set('/apis', answer('one'))
  cloud.peer = 'kubeedge'
  assert.equal(await told.isShownTo(operator), false)
  assert.equal(cloud.reads.length, 0)
})

test('who leaves does not end what others wait for', async () => {
  const { told, cloud, clock } = await open()
  const late = Promise.withResolvers<void>()
  const read = cloud.read
  cloud.paths.set('/apis', answer('one'))
  cloud.read = async (request, given) => {
    await late.promise
    return await read(request, given)
  }
  const leaving = new AbortController()
  const gone = told.isShownTo({ ...asker('ann'), signal: leaving.signal })
  const stays = told.isShownTo(asker('ann'))
  leaving.abort(new Error('left'))
  await assert.rejects(gone, /left/)
  late.resolve()
  await clock.advance(seconds(1))
  assert.equal(await stays, true)
})

test('documents are kept within bounds, the first that came go first, and what lasts stays', async () => {
  const store = memoryStore([metaStoreDomain])
  const clock = new FakeClock()
  const log = memoryLogger()
  const documents = new ToldDocuments({ store, clock, log }, ['/apis'])
  await documents.keep('/apis', 'a', 'kinds')
  for (const path of ['1', '2', '3']) {
    await clock.advance(seconds(1))
    await documents.keep(path, path, path.repeat(7_000_000))
  }
  await documents.keep('4', '4', '4'.repeat(9_000_000))
  const tags = (of: ToldDocuments) => ['/apis', '1', '2', '3', '4'].map((path) => of.tagOf(path))
  assert.deepEqual(tags(documents), ['a', undefined, '2', '3', undefined])
  const again = new ToldDocuments({ store, clock, log }, ['/apis'])
  await again.open()
  assert.deepEqual([tags(again), again.bytes], [tags(documents), documents.bytes])
  assert.equal((await again.read('3'))?.length, 7_000_000)
  store.failure = 'full'
  await again.keep('3', 'new', 'short')
  assert.equal(again.tagOf('3'), '3')
  assert.equal(log.messages('warn').length, 1)
})
