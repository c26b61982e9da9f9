import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { silentMetrics } from '../../../platform/health/index.ts'
import { afterTurn } from '../../../platform/time/index.ts'
import type { ApiContext } from '../../apiserver/rest/context.ts'
import { kubernetesStore } from '../../apiserver/storage/domain.ts'
import { ObjectStore } from '../../apiserver/storage/object-store.ts'
import { startApiBench } from '../../apiserver/testing/api-bench.ts'
import { memoryStore } from '../../edge/testing/memory-store.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { listObjects } from './list.ts'
import { candidates } from './list-candidates.ts'
import { listOptions } from './list-options.ts'

const PODS = '/pods'

function pod(key: string, node: string, labels: Record<string, string> = {}): ApiObject {
  const [namespace = '', name = ''] = key.split('/')
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels }, spec: { nodeName: node } }
}

async function setUp(t: TestContext) {
  const bench = await startApiBench([])
  t.after(() => bench[Symbol.asyncDispose]())
  const { api } = bench
  const definition = api.registry.find('', 'v1', 'pods')
  assert.ok(definition)
  const options = (query: string) => listOptions(new URLSearchParams(query), definition, 'list')
  const list = async (query: string, namespace = '') => {
    const { objects, metadata } = await listObjects(
      api,
      definition,
      namespace,
      options(query),
      new AbortController().signal,
    )
    return { names: objects.map((each) => `${each.metadata['namespace']}/${each.metadata['name']}`), ...metadata }
  }
  /** What a list looks at, whatever it answers. */
  const looked = (query: string, namespace = '', store = api.store) => {
    const view = store.view(PODS)
    assert.ok(view)
    return [...candidates({ store, definition, namespace, fields: options(query).fields, view })].map(([key]) => key)
  }
  const put = (key: string, node: string, labels?: Record<string, string>) =>
    api.store.change(PODS, key, () => pod(key, node, labels))
  return { api, list, looked, put, remove: (key: string) => api.store.change(PODS, key, () => undefined) }
}

async function putMany(api: ApiContext, count: number): Promise<readonly string[]> {
  const keys = Array.from({ length: count }, (_, index) => `many/pod-${String(index).padStart(5, '0')}`)
  await Promise.all(keys.map((key) => api.store.change(PODS, key, () => pod(key, 'edge-1'))))
  return keys
}

describe('a list of many objects', () => {
  it('page by page has each of them once, while others come, change and go', async (t) => {
    const { api, list, put, remove } = await setUp(t)
    const keys = await putMany(api, 1_003)
    const seen: string[] = []
    let token = ''
    for (let page = 0; page < 11; page++) {
      const { names, continue: next = '', remainingItemCount } = await list(`limit=100&continue=${token}`)
      seen.push(...names)
      assert.equal(remainingItemCount ?? 0, keys.length - seen.length)
      token = next
      await put(`many/pod-${page}-new`, 'edge-1')
      await put(keys[page * 90] ?? '', 'edge-2')
      await remove(keys[1_000 - page] ?? '')
    }
    assert.deepEqual([token, seen], ['', keys])
  })

  it('with a selector goes from page to page without an empty one', async (t) => {
    const { list, put } = await setUp(t)
    for (let index = 0; index < 40; index++) await put(`a/pod-${10 + index}`, '', { odd: String(index % 2) })
    const first = await list('limit=15&labelSelector=odd%3D1')
    assert.deepEqual([first.names.length, first.names.at(-1), first.remainingItemCount], [15, 'a/pod-39', undefined])
    const last = await list(`limit=5&labelSelector=odd%3D1&continue=${first.continue}`)
    assert.deepEqual([last.names.length, last.names.at(-1), last.continue], [5, 'a/pod-49', undefined])
  })

  it('lets others have their turn between its parts', async (t) => {
    const { api, list } = await setUp(t)
    await putMany(api, 4_000)
    const state = { turns: 0, isOver: false }
    const turn = () => {
      state.turns++
      if (!state.isOver) afterTurn(turn)
    }
    afterTurn(turn)
    assert.deepEqual((await list('labelSelector=none%3Dsuch')).names, [])
    state.isOver = true
    assert.ok(state.turns >= 4, `${state.turns} turns`)
  })
})

describe('what a field selector asks for', () => {
  it('is looked up by its name, in one namespace and in all of them', async (t) => {
    const { list, looked, put } = await setUp(t)
    for (const namespace of ['a', 'a-b', 'b', 'c']) {
      for (const name of ['one', 'two', 'zero']) await put(`${namespace}/${name}`, '')
    }
    const query = 'fieldSelector=metadata.name%3Dtwo'
    assert.deepEqual(looked(query, 'b'), ['b/two'])
    assert.deepEqual(looked(query), ['a-b/two', 'a/two', 'b/two', 'c/two'])
    assert.deepEqual(looked('fieldSelector=metadata.name%3Dnone'), [])
    assert.deepEqual(looked('fieldSelector=metadata.namespace%3Da').sort(), ['a/one', 'a/two', 'a/zero'])
    const first = await list(`${query}&limit=2`)
    assert.deepEqual(first.names, ['a-b/two', 'a/two'])
    assert.deepEqual((await list(`${query}&limit=2&continue=${first.continue}`)).names, ['b/two', 'c/two'])
    assert.deepEqual((await list(`${query}&labelSelector=x`)).names, [])
  })

  it('is looked up by its node, also after pods were bound, moved and removed', async (t) => {
    const { list, looked, put, remove } = await setUp(t)
    const query = 'fieldSelector=spec.nodeName%3Dedge-1'
    for (const name of ['a/one', 'a/two', 'b/three']) await put(name, 'edge-1')
    await put('a/other', '')
    assert.deepEqual(looked(query), ['a/one', 'a/two', 'b/three'])
    await put('a/other', 'edge-1')
    await put('a/two', 'edge-2')
    await remove('b/three')
    assert.deepEqual(looked(query), ['a/one', 'a/other'])
    assert.deepEqual(looked('fieldSelector=spec.nodeName%3Dedge-2', 'a'), ['a/two'])
    assert.deepEqual(looked('fieldSelector=spec.nodeName%3Dedge-2', 'b'), [])
    assert.equal(looked('fieldSelector=spec.nodeName%21%3Dedge-2').length, 3, 'an inequality is no lookup')
    assert.deepEqual((await list(query)).names, ['a/one', 'a/other'])
  })

  it('is found as it was at an earlier version', async (t) => {
    const { api, list, put, remove } = await setUp(t)
    for (const name of ['a/one', 'a/two', 'a/three']) await put(name, 'edge-1')
    const then = api.store.version
    await put('a/one', 'edge-2')
    await remove('a/two')
    await put('a/new', 'edge-1')
    const query = `resourceVersion=${then}&resourceVersionMatch=Exact&fieldSelector=spec.nodeName%3Dedge-1`
    assert.deepEqual((await list(query)).names, ['a/one', 'a/three', 'a/two'])
  })

  it('is found in what a restart reads', async (t) => {
    const { looked } = await setUp(t)
    const disk = memoryStore([kubernetesStore])
    const before = new ObjectStore({ store: disk, metrics: silentMetrics })
    await before.load()
    for (const name of ['b/two', 'a/one']) await before.change(PODS, name, () => pod(name, 'edge-1'))
    await before.change(PODS, 'a/one', () => pod('a/one', 'edge-2'))
    const after = new ObjectStore({ store: disk, metrics: silentMetrics })
    await after.load()
    assert.deepEqual(looked('fieldSelector=spec.nodeName%3Dedge-1', '', after), ['b/two'])
    assert.deepEqual(looked('fieldSelector=metadata.name%3Done', '', after), ['a/one'])
  })
})
