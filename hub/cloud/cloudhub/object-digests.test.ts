import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Frame, HeldObject, Json } from '../../../schemas/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { type ScriptedEdge, startCloud } from '../testing/harness.ts'
import { type ObjectSource, objectSource } from '../testing/object-source.ts'

const ROUTE = { source: 'metamanager', group: 'resource', operation: 'query', resource: 'object/digest' }
const names = (count: number) => Array.from({ length: count }, (_, index) => `cm-${index}`)
const isObject = ({ route }: Frame) =>
  route.group === 'resource' && !['response', 'error'].includes(route.operation ?? '')
const sent = (edge: ScriptedEdge) =>
  edge.received.filter(isObject).map(({ route }) => `${route.operation} ${route.resource}`)
const held = (name: string, version: string): HeldObject => ({
  resource: `shop/configmap/${name}`,
  uid: `uid-${name}`,
  version,
})

function tell(edge: ScriptedEdge, objects: readonly HeldObject[], isLast = true): Frame {
  return edge.say(ROUTE, { skerry: { objects: objects.map((each): Json => ({ ...each })), isLast } })
}

function answers(edge: ScriptedEdge, question: Frame): readonly (string | undefined)[] {
  return edge.received
    .filter(({ header }) => header.parent_msg_id === question.header.msg_id)
    .map(({ route }) => route.operation)
}

async function start(source: ObjectSource = objectSource(), kubernetes = new FakeKubernetes()) {
  const cloud = await startCloud(kubernetes)
  cloud.hub.addSource(source)
  return { ...cloud, source }
}

/** A node that has acknowledged these, a cloud that starts anew on the same API, and the node connected to it. */
async function reconnected(wanted: readonly string[], options: { readonly skerry?: boolean } = {}) {
  const source = objectSource()
  for (const name of wanted) source.want('edge-1', name, '1')
  const first = await start(source)
  first.connect('edge-1', options)
  await first.settle(5000)
  await first.stop()
  const second = await start(source, first.kubernetes)
  const edge = second.connect('edge-1', options)
  await second.settle(100)
  assert.deepEqual(sent(edge), [])
  return { ...second, edge }
}

test('1,000 objects that are as recorded cost one answer for each 500, and no object is sent', async () => {
  const { edge, kubernetes, settle, stop } = await reconnected(names(1000))
  kubernetes.writes.splice(0)
  const all = names(1000).map((name) => held(name, '1'))
  const first = tell(edge, all.slice(0, 500), false)
  const second = tell(edge, all.slice(500))
  await settle(5000)
  assert.deepEqual([answers(edge, first), answers(edge, second)], [['response'], ['response']])
  assert.deepEqual(sent(edge), [])
  assert.deepEqual(
    kubernetes.writes.filter((call) => call.includes('objectsyncs')),
    [],
  )
  await stop()
})

test('what a node has in another version than its record, or lacks, is sent again once, and what nobody wants is deleted', async () => {
  const { edge, kubernetes, settle, stop } = await reconnected(['same', 'newer', 'lacking'])
  tell(edge, [held('same', '1'), held('newer', '7'), held('unknown', '3')])
  await settle(2000)
  assert.deepEqual(sent(edge).toSorted(), [
    'delete shop/configmap/unknown',
    'insert shop/configmap/lacking',
    'insert shop/configmap/newer',
  ])
  assert.equal(sent(edge)[0], 'delete shop/configmap/unknown')
  assert.ok(!kubernetes.writes.some((call) => call.includes('unknown')), 'what a node makes up costs the API nothing')
  await stop()
})

test('a part that is told again is answered again and changes nothing, and so is one after the last', async () => {
  const { edge, settle, stop } = await reconnected(['a', 'b'])
  const questions = [
    tell(edge, [held('a', '1')], false),
    tell(edge, [held('a', '1')], false),
    tell(edge, [held('b', '1')]),
  ]
  questions.push(tell(edge, [held('a', '9')]))
  await settle(2000)
  assert.deepEqual(
    questions.map((question) => answers(edge, question)),
    [['response'], ['response'], ['response'], ['response']],
  )
  assert.deepEqual(sent(edge), [])
  await stop()
})

test('what is acknowledged while the digest is on its way is as it was acknowledged', async () => {
  const { edge, source, hub, settle, stop } = await reconnected(['a', 'b', 'c'])
  source.want('edge-1', 'a', '2')
  source.want('edge-1', 'new', '1')
  source.unwant('edge-1', 'b')
  edge.deaf.add('shop/configmap/new')
  hub.sync('edge-1')
  await settle(500)
  const before = sent(edge).length
  assert.equal(before, 3)
  // Made before any of it arrived; one receipt is still to come.
  tell(edge, [held('a', '1'), held('b', '1'), held('c', '1')])
  await settle(500)
  for (const frame of edge.received.filter(({ route }) => route.resource?.endsWith('new'))) edge.acknowledge(frame)
  await settle(2000)
  assert.equal(sent(edge).length, before)
  await stop()
})

test('a digest that comes before the records are listed is compared once they are', async () => {
  const source = objectSource()
  source.want('edge-1', 'a', '1')
  const first = await start(source)
  first.connect('edge-1')
  await first.settle(5000)
  await first.stop()
  first.kubernetes.fail('LIST objectsyncs', 500, 3)
  const second = await start(source, first.kubernetes)
  const edge = second.connect('edge-1')
  const question = tell(edge, [held('a', '5'), held('b', '1')])
  assert.deepEqual([answers(edge, question), sent(edge)], [[], []])
  await second.settle(10_000)
  assert.deepEqual(answers(edge, question), ['response'])
  assert.deepEqual(sent(edge), ['delete shop/configmap/b', 'insert shop/configmap/a'])
  await second.stop()
})

test('nothing is deleted while a source is still listing, and kinds that no source gives stay', async () => {
  const source = objectSource()
  let isReady = false
  const { connect, settle, stop } = await start({ ...source, isReady: () => isReady })
  const edge = connect('edge-1')
  const asked = { resource: 'shop/persistentvolumeclaim/x', uid: 'uid-x', version: '1' }
  tell(edge, [held('a', '1'), held('b', '1'), asked])
  await settle(2000)
  assert.deepEqual(sent(edge), [])
  source.want('edge-1', 'a', '1')
  isReady = true
  await settle(2000)
  assert.deepEqual(sent(edge), ['delete shop/configmap/b', 'insert shop/configmap/a'])
  await stop()
})

test('what is no digest is refused with the form of one; that of an original edge counts for nothing', async () => {
  const { edge, settle, stop } = await reconnected(['a'])
  const contents: readonly Json[] = [
    'nonsense',
    null,
    {},
    { skerry: { objects: {} } },
    { skerry: { objects: [{ resource: 'shop/configmap/a', uid: 1, version: '1' }] } },
    { skerry: { objects: [{ resource: 'x'.repeat(600), uid: 'u', version: '1' }] } },
    { skerry: { objects: Array.from({ length: 501 }, () => ({ ...held('a', '1') })) } },
  ]
  for (const content of contents) {
    const question = edge.say(ROUTE, content)
    await settle(10)
    assert.deepEqual(answers(edge, question), ['error'], JSON.stringify(content).slice(0, 80))
  }
  // Keys that are no address of anything are passed over.
  tell(edge, [
    held('a', '1'),
    { resource: 'configmap', uid: 'u-1', version: '1' },
    { resource: 'a/configmap/', uid: '', version: '' },
  ])
  await settle(2000)
  assert.deepEqual([sent(edge), edge.closed], [[], undefined])
  await stop()
  const original = await reconnected(['a'], { skerry: false })
  tell(original.edge, [held('b', '1')])
  await original.settle(2000)
  assert.deepEqual(sent(original.edge), [])
  await original.stop()
})

test('a node speaks of its own objects alone', async () => {
  const { source, edge, connect, settle, stop } = await reconnected(['a'])
  source.want('edge-2', 'other', '1')
  const second = connect('edge-2')
  await settle(2000)
  second.received.splice(0)
  tell(edge, [held('a', '1'), held('other', '9')])
  await settle(2000)
  assert.deepEqual([sent(edge), sent(second)], [['delete shop/configmap/other'], []])
  await stop()
})

test('of what a node makes up a bounded part is remembered and deleted', async () => {
  const { edge, hub, settle, stop } = await reconnected(['a'])
  edge.say({ source: 'websocket', group: 'resource', operation: 'keepalive', resource: 'node' }, 'ping')
  for (let part = 0; part < 30; part++) {
    tell(
      edge,
      Array.from({ length: 500 }, (_, index) => held(`x-${part}-${index}`, '1')),
      false,
    )
  }
  await settle(10_000)
  assert.equal(sent(edge).length, 10_000)
  assert.equal(hub.snapshot().nodes[0]?.waiting, 0)
  await stop()
})
