import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { serveApi } from '../../apiserver/testing/serve.ts'
import { reasonOfError } from './errors.ts'
import { kubernetesInside } from './from-config.ts'
import type { Kubernetes, WatchEvent } from './kubernetes.ts'
import { CONFIG_MAPS, NODES } from './resources.ts'

async function open(t: TestContext, groups: readonly string[] = ['system:masters']) {
  const api = await serveApi(temporaryFolder('skerry-inside-'))
  let isEnded = false
  const stop = async () => {
    if (!isEnded) await api[Symbol.asyncDispose]()
    isEnded = true
  }
  t.after(stop)
  const kubernetes = kubernetesInside(api.local({ name: 'inside', groups }), { clock: systemClock, log: silentLogger })
  return { kubernetes, stop }
}

const at = { namespace: 'default', name: 'one' }
const map = (name: string, data: object = {}) => ({ metadata: { name, namespace: 'default' }, data })

test('an API of this process is used as any other', async (t) => {
  const { kubernetes } = await open(t)
  await kubernetes.create(CONFIG_MAPS, 'default', map('one', { a: '1' }))
  const patched = await kubernetes.patch(CONFIG_MAPS, at, { data: { b: '2' } }, { type: 'merge' })
  assert.deepEqual(dataOf(patched), { a: '1', b: '2' })
  const { items } = await kubernetes.list(CONFIG_MAPS, { namespace: 'default', fieldSelector: 'metadata.name=one' })
  assert.deepEqual(
    items.map(({ metadata }) => metadata.name),
    ['one'],
  )
  await kubernetes.delete(CONFIG_MAPS, at)
  assert.equal(await kubernetes.get(CONFIG_MAPS, at), undefined)
})

test('what it answers with is nobody’s to change, and refusals are those of an API', async (t) => {
  const { kubernetes } = await open(t)
  const made = await kubernetes.create(CONFIG_MAPS, 'default', map('one', { a: '1' }))
  assert.throws(() => Object.assign(Object(dataOf(made)), { a: 'other' }), TypeError)
  assert.deepEqual(dataOf(await kubernetes.get(CONFIG_MAPS, at)), { a: '1' })
  const twice = kubernetes.create(CONFIG_MAPS, 'default', map('one'))
  await assert.rejects(twice, (error) => reasonOfError(error) === 'AlreadyExists')
  const old = kubernetes.replace(CONFIG_MAPS, at, { metadata: { ...made.metadata, resourceVersion: '1' } })
  await assert.rejects(old, (error) => reasonOfError(error) === 'Conflict')
})

test('its user has no more rights than his roles give him', async (t) => {
  const { kubernetes } = await open(t, ['nobody'])
  await assert.rejects(kubernetes.list(NODES, {}), (error) => reasonOfError(error) === 'Forbidden')
})

test('a watch tells changes in order, holds what is not read yet, and ends with its reader', async (t) => {
  const { kubernetes } = await open(t)
  const { resourceVersion } = await kubernetes.list(CONFIG_MAPS, { namespace: 'default' })
  const reader = new AbortController()
  const events = kubernetes.watch(CONFIG_MAPS, { namespace: 'default', resourceVersion }, reader.signal)
  for (let count = 0; count < 300; count++) await kubernetes.create(CONFIG_MAPS, 'default', map(`n-${count}`, wide))
  assert.deepEqual(
    await take(events, 300),
    Array.from({ length: 300 }, (_, count) => `ADDED n-${count}`),
  )
  reader.abort(new Error('read enough'))
})

test('while the API does not serve, it is unavailable; watches end with it', async (t) => {
  const { kubernetes, stop } = await open(t)
  const { resourceVersion } = await kubernetes.list(CONFIG_MAPS, { namespace: 'default' })
  const events = kubernetes.watch(CONFIG_MAPS, { namespace: 'default', resourceVersion }, new AbortController().signal)
  const ended = take(events, 1)
  await kubernetes.get(CONFIG_MAPS, at)
  await stop()
  assert.deepEqual(await ended, [])
  await assert.rejects(
    kubernetes.get(CONFIG_MAPS, at),
    (error) => error instanceof Error && Reflect.get(error, 'retry') === 'backoff',
  )
})

/** Many of them are more than a watch holds unread. */
const wide = { text: 'x'.repeat(4000) }

async function take(events: ReturnType<Kubernetes['watch']>, count: number): Promise<readonly string[]> {
  const seen: string[] = []
  for await (const event of events) {
    if (isNews(event)) seen.push(`${event.type} ${event.object.metadata.name}`)
    if (seen.length === count) break
  }
  return seen
}

function dataOf(object: object | undefined): unknown {
  return Reflect.get(object ?? {}, 'data')
}

function isNews<T>(event: WatchEvent<T>): event is Exclude<WatchEvent<T>, { type: 'BOOKMARK' }> {
  return event.type !== 'BOOKMARK'
}
