import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Json, KubeObject } from '../../../../schemas/index.ts'
import type { ObjectKey, ResourceType } from '../../kubernetes/kubernetes.ts'
import { EVENTS } from '../../kubernetes/resources.ts'
import { startEdgeController } from '../../testing/edge-controller-bench.ts'
import { FakeKubernetes } from '../../testing/fake-kubernetes.ts'
import type { ScriptedEdge } from '../../testing/harness.ts'

/** Reads take as long as the test wants. */
class SlowKubernetes extends FakeKubernetes {
  isSlow = false
  readonly #waiting: (() => void)[] = []
  override async get<T extends KubeObject>(type: ResourceType<T>, at: ObjectKey): Promise<T | undefined> {
    if (this.isSlow && type.kind === 'Pod') await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return super.get(type, at)
  }
  get waiting(): number {
    return this.#waiting.length
  }
  release(): void {
    this.isSlow = false
    for (const go of this.#waiting.splice(0)) go()
  }
}

async function setup(t: TestContext, kubernetes = new FakeKubernetes()) {
  const bench = await startEdgeController(kubernetes)
  t.after(() => bench.stop())
  return { ...bench, edge: bench.connect('edge-1') }
}

const route = (operation: string, resource: string) => ({ source: 'edged', group: 'meta', operation, resource })
const event = (name: string, over: Record<string, Json> = {}): Json => ({
  metadata: { name, namespace: 'shop', uid: 'x' },
  involvedObject: { kind: 'Pod', name: 'till', namespace: 'shop' },
  source: { component: 'kubelet', host: 'edge-1' },
  count: 1,
  ...over,
})

test('what the API refuses, throttles or cannot answer is said to the edge in the shape of the request', async (t) => {
  const { ask, edge, kubernetes } = await setup(t)
  for (const [status, reason] of [
    [403, 'Forbidden'],
    [429, 'TooManyRequests'],
    [500, 'InternalError'],
  ] as const) {
    kubernetes.fail('POST nodes edge-1', status)
    const answer = await ask(edge, 'insert', 'null/node/edge-1', { metadata: { name: 'edge-1' } })
    assert.match(JSON.stringify(answer?.content), new RegExp(`"Object":null,.*"reason":"${reason}","code":${status}`))
    kubernetes.fail('GET nodes edge-1', status)
    assert.equal((await ask(edge, 'query', 'null/node/edge-1'))?.route.operation, 'error')
  }
})

test('a slow API makes answers late, holds up no lease and no other node, and loses no question', async (t) => {
  const kubernetes = new SlowKubernetes()
  const { ask, edge, connect, settle, metrics } = await setup(t, kubernetes)
  const other = connect('edge-2')
  kubernetes.isSlow = true
  const questions = Array.from({ length: 300 }, (_, at) => edge.say(route('query', `shop/pod/p${at}`), null))
  await settle()
  // One node never takes all places.
  assert.equal(kubernetes.waiting, 16)
  const lease = { metadata: { name: 'edge-1', namespace: 'kube-node-lease' }, spec: {} }
  const answer = await ask(edge, 'insert', 'kube-node-lease/lease/edge-1', lease)
  assert.match(JSON.stringify(answer?.content), /"Err":null/)
  const theirs = await ask(other, 'query', 'shop/secret/x')
  assert.equal(theirs?.route.operation, 'error')
  await settle(25_000)
  edge.say(route('keepalive', 'node'), 'ping')
  await settle(25_001)
  const answers = answersTo(
    edge,
    questions.map(({ header }) => header.msg_id),
  )
  assert.equal(answers.length, 300)
  assert.deepEqual(new Set(answers.map(({ route: { operation } }) => operation)), new Set(['error']))
  const text = await metrics.text()
  assert.match(text, /requests_total\{outcome="late"\} 272/)
  assert.match(text, /requests_total\{outcome="full"\} 28/)
  kubernetes.release()
  await settle()
  assert.match(await metrics.text(), /skerry_edgecontroller_waiting\{lane="calls"\} 0/)
})

test('events are recorded, repeated and made again, and nobody answers', async (t) => {
  const { edge, kubernetes, settle } = await setup(t)
  const at = { namespace: 'shop', name: 'e1' }
  edge.say(route('insert', 'shop/event/e1'), event('e1'))
  await settle()
  const made = await kubernetes.get(EVENTS, at)
  assert.notEqual(made?.metadata.uid, 'x')
  const repeated = { event: event('e1'), patchData: JSON.stringify({ count: 7, reason: 'Forged' }) }
  edge.say(route('patch', 'shop/event/e1'), repeated)
  await settle()
  const stored: object = (await kubernetes.get(EVENTS, at)) ?? {}
  assert.deepEqual([Reflect.get(stored, 'count'), Reflect.get(stored, 'reason')], [7, undefined])
  await kubernetes.delete(EVENTS, at)
  edge.say(route('patch', 'shop/event/e1'), repeated)
  await settle()
  assert.ok(await kubernetes.get(EVENTS, at))
  assert.deepEqual(edge.received, [])
})

test('events outlive an API that is away for a while', async (t) => {
  const { edge, kubernetes, settle } = await setup(t)
  kubernetes.fail('POST events', 503, 3)
  edge.say(route('insert', 'shop/event/e1'), event('e1'))
  await settle(20_000)
  assert.ok(await kubernetes.get(EVENTS, { namespace: 'shop', name: 'e1' }))
})

test('too many events of one node are dropped and counted, and its budget grows again', async (t) => {
  const { edge, connect, kubernetes, settle, metrics } = await setup(t)
  const say = (from: ScriptedEdge, node: string, name: string) =>
    from.say(route('insert', `shop/event/${name}`), event(name, { source: { host: node } }))
  for (let at = 0; at < 150; at++) say(edge, 'edge-1', `e${at}`)
  say(connect('edge-2'), 'edge-2', 'theirs')
  await settle()
  const { items } = await kubernetes.list(EVENTS, {})
  assert.equal(items.length, 101)
  assert.match(await metrics.text(), /events_dropped_total\{cause="budget"\} 50/)
  await settle(1000)
  say(edge, 'edge-1', 'later')
  await settle()
  assert.ok(await kubernetes.get(EVENTS, { namespace: 'shop', name: 'later' }))
})

test('a node that reports events as another one is cut off', async (t) => {
  const { edge, kubernetes, settle } = await setup(t)
  edge.say(route('insert', 'shop/event/e1'), event('e1', { source: { host: 'edge-2' } }))
  await settle()
  assert.match(String(edge.closed), /may not report as edge-2/)
  assert.deepEqual((await kubernetes.list(EVENTS, {})).items, [])
})

function answersTo(edge: ScriptedEdge, ids: readonly string[]) {
  const asked = new Set(ids)
  return edge.received.filter(({ header }) => asked.has(header.parent_msg_id ?? ''))
}
