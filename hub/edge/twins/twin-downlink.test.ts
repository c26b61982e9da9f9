import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type CloudUpdate, type CloudUpdateAnswer, type Json, updateFromCloud } from '../../../schemas/index.ts'
import { type EdgeBench, setTwin, startEdge, twinOf } from '../testing/edge-bench.ts'

const TWIN = { speed: { expected: { value: '5' }, expected_version: { cloud: 7, edge: 0 } } }

/** An edge whose DeviceTwin answers so. */
async function startWith(answer: CloudUpdateAnswer) {
  const edge = await startEdge()
  const heard: CloudUpdate[] = []
  edge.bus.serve(updateFromCloud, async (update) => {
    heard.push(update)
    return answer
  })
  setTwin(edge.bus, twinOf('pump-1', 1))
  await edge.advance(100)
  edge.cloud.forget()
  return { edge, heard }
}

const say = async (edge: EdgeBench, resource: string, content: Json) => {
  edge.cloud.say({ source: 'devicecontroller', group: 'twin', operation: 'update', resource }, content)
  await edge.advance()
}

test('C55: twin/cloud_updated reaches DeviceTwin, with its versions, also in the form of old clouds', async () => {
  const { edge, heard } = await startWith({ outcome: 'taken' })
  await say(edge, 'device/default/pump-1/twin/cloud_updated', { event_id: 'e', timestamp: 1, twin: TWIN })
  await say(edge, 'device/pump-1/twin/cloud_updated', JSON.stringify({ Event_ID: 'f', TWIN }))
  const change = { isDeleted: false, expected: { value: '5', version: { cloud: 7, edge: 0 } } }
  assert.deepEqual(
    heard,
    ['e', 'f'].map((eventId) => ({
      ...{ kind: 'twin', id: 'default/pump-1', eventId, twin: new Map([['speed', change]]) },
    })),
  )
  assert.deepEqual(edge.cloud.received, [])
  await edge.stop()
})

test('C55: where the edge knows better, its confirmed twin goes up again, once', async () => {
  for (const outcome of ['stale', 'refused'] as const) {
    const { edge } = await startWith({ outcome })
    await say(edge, 'device/default/pump-1/twin/cloud_updated', { twin: TWIN })
    assert.deepEqual(
      edge.cloud.reports().map(({ route }) => route.resource),
      ['device/default/pump-1/twin/edge_updated'],
    )
    await edge.advance(60_000)
    assert.equal(edge.cloud.reports().length, 1)
    await edge.stop()
  }
})

test('C55: a twin that is under way just then goes up once more after its receipt', async () => {
  const { edge } = await startWith({ outcome: 'stale' })
  const confirm = edge.cloud.answers
  edge.cloud.answers = () => undefined
  setTwin(edge.bus, twinOf('pump-1', 2))
  await edge.advance()
  const [sent] = edge.cloud.reports()
  edge.cloud.answers = confirm
  await say(edge, 'device/default/pump-1/twin/cloud_updated', { twin: TWIN })
  assert.equal(edge.cloud.reports().length, 1)
  const receipt = sent && confirm(sent)
  if (receipt) await edge.dialer.pair?.cloud.send(receipt)
  await edge.advance()
  assert.equal(edge.cloud.reports().length, 2)
  await edge.stop()
})

test('C53: attributes reach DeviceTwin', async () => {
  const { edge, heard } = await startWith({ outcome: 'taken' })
  const attributes = { serial: { value: 'A1', optional: true, metadata: { type: 'string' } }, old: null }
  await say(edge, 'device/default/pump-1/updated', { event_id: 'a', attributes })
  const serial = { value: 'A1', optional: true, type: 'string' }
  assert.deepEqual(heard, [
    {
      ...{ kind: 'attributes', id: 'default/pump-1', eventId: 'a' },
      attributes: new Map<string, typeof serial | null>([
        ['serial', serial],
        ['old', null],
      ]),
    },
  ])
  await edge.stop()
})

test('what is not understood, or nobody serves, ends nothing and is passed over', async () => {
  const { edge, heard } = await startWith({ outcome: 'unknown' })
  for (const content of [
    null,
    5,
    'no json',
    [],
    {},
    { twin: 1 },
    { twin: { a: 1 } },
    { twin: { a: { expected: {} } } },
  ]) {
    await say(edge, 'device/default/pump-1/twin/cloud_updated', content)
    await say(edge, 'device/default/pump-1/updated', content)
  }
  for (const resource of ['', 'membership/detail', 'device//x/updated', 'device/a/b/c/updated'])
    await say(edge, resource, { twin: {} })
  assert.deepEqual(heard, [])
  assert.deepEqual(edge.cloud.received, [])
  await edge.stop()
  const alone = await startEdge()
  await alone.advance(100)
  await say(alone, 'device/default/pump-1/twin/cloud_updated', { twin: TWIN })
  assert.equal(alone.hub.isConnected, true)
  await alone.stop()
})
