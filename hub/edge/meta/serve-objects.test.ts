import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { type Frame, type Freshness, type Json, listObjects, requestObject } from '../../../schemas/index.ts'
import { type BenchOptions, startEdge } from '../testing/edge-bench.ts'

const CFG = 'shop/configmap/cfg'
const config = (version: string, uid = 'c') => ({
  metadata: { name: 'cfg', namespace: 'shop', uid, resourceVersion: version },
  data: { version },
})

/** A cloud that answers queries as `answers` says; undefined for nothing. */
async function setup(answers: (frame: Frame) => Json | undefined, options: BenchOptions = {}) {
  const edge = await startEdge(options)
  const usual = edge.cloud.answers
  edge.cloud.answers = (frame) => {
    const { operation, resource = '' } = frame.route
    if (operation !== 'query' || resource.includes('/lease/')) return usual(frame)
    const content = answers(frame)
    return content === undefined ? undefined : reply(frame, content)
  }
  const ask = (resource: string, freshness: Freshness) =>
    edge.bus.request(requestObject, { resource, freshness }, { deadline: seconds(60) })
  const queries = () => edge.cloud.received.filter(({ route }) => route.operation === 'query' && route.resource === CFG)
  return { edge, ask, queries }
}

test('90: an answer is kept, acknowledged by its own id, and is there without the cloud and after a restart', async () => {
  const { edge, ask, queries } = await setup(() => config('7'), { isSkerry: false })
  const asked = ask(CFG, 'stored-first')
  await edge.advance()
  assert.deepEqual(await asked, { from: 'cloud', object: config('7') })
  const receipts = edge.cloud.received.filter(({ route }) => route.operation === 'response')
  assert.deepEqual(
    receipts.map(({ header, route, content }) => [header.parent_msg_id, route.resource, content]),
    [['answer 1', CFG, 'OK']],
  )
  assert.deepEqual(await ask(CFG, 'stored-first'), { from: 'node', object: config('7') })
  assert.equal(queries().length, 1)
  await edge.stop()
  const later = await setup(() => undefined, { after: edge, isReachable: false })
  assert.deepEqual(await later.ask(CFG, 'cloud-first'), { from: 'node', object: config('7') })
  assert.deepEqual(await later.edge.bus.request(listObjects, { type: 'configmap' }, { deadline: seconds(1) }), [
    config('7'),
  ])
  await later.edge.stop()
})

test('108: without the cloud what is here is served, and what only the cloud could tell fails with HUB_OFFLINE', async () => {
  const { edge, ask } = await setup(() => undefined, { isReachable: false })
  for (const freshness of ['stored-first', 'cloud-first', 'cloud'] as const) {
    await assert.rejects(ask(CFG, freshness), { code: 'HUB_OFFLINE' })
  }
  assert.deepEqual(await ask(CFG, 'stored'), { from: 'node' })
  await assert.rejects(ask('cfg', 'stored'), { code: 'HUB_RESOURCE_MALFORMED' })
  await edge.stop()
})

test('92, 93: a failure in any form is thrown, never kept, and not hidden behind what is here', async () => {
  const failures: Json[] = [
    { ErrStatus: { reason: 'NotFound', code: 404 } },
    { Object: null, Err: { ErrStatus: { reason: 'Forbidden' } } },
    null,
    ['x'],
  ]
  for (const failure of failures) {
    const { edge, ask } = await setup(() => failure)
    for (const freshness of ['stored-first', 'cloud'] as const) {
      const refused = assert.rejects(ask(CFG, freshness), { code: 'HUB_QUERY_FAILED' })
      await edge.advance()
      await refused
    }
    assert.equal(edge.meta.stored(CFG), undefined)
    edge.cloud.say(push('insert'), config('3'), '3')
    await edge.advance()
    const refused = assert.rejects(ask(CFG, 'cloud-first'), { code: 'HUB_QUERY_FAILED' })
    await edge.advance()
    await refused
    assert.deepEqual(edge.meta.stored(CFG), config('3'))
    await edge.stop()
  }
})

test('an error of the cloud names its reason, and a broken link or a late cloud falls back to what is here', async () => {
  const { edge, ask } = await setup(() => undefined)
  const usual = edge.cloud.answers
  edge.cloud.answers = (frame) =>
    frame.route.operation === 'query' ? { ...reply(frame, 'not here'), route: { operation: 'error' } } : usual(frame)
  const told = assert.rejects(ask(CFG, 'cloud'), (error: { fields?: { reason?: string } }) =>
    /not here/.test(error.fields?.reason ?? ''),
  )
  await edge.advance()
  await told
  edge.cloud.answers = usual
  edge.cloud.say(push('insert'), config('3'), '3')
  await edge.advance()
  const late = ask(CFG, 'cloud-first')
  await edge.advance(20_000)
  assert.deepEqual(await late, { from: 'node', object: config('3') })
  const cut = ask(CFG, 'cloud-first')
  const strict = assert.rejects(ask(CFG, 'cloud'), { code: 'HUB_LINK_ENDED' })
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance()
  assert.deepEqual(await cut, { from: 'node', object: config('3') })
  await strict
  await edge.stop()
})

test('an object that the cloud does not have is told apart from one that it does not give', async () => {
  const statusOf = async (answer: (frame: Frame) => Frame) => {
    const { edge, ask } = await setup(() => undefined)
    const usual = edge.cloud.answers
    edge.cloud.answers = (frame) => (frame.route.operation === 'query' ? answer(frame) : usual(frame))
    const failed = ask(CFG, 'stored-first').then(
      () => 'answered',
      (error: { fields?: { status?: number } }) => error.fields?.status,
    )
    await edge.advance()
    await edge.stop()
    return failed
  }
  const error = (text: string) => (frame: Frame) => ({ ...reply(frame, text), route: { operation: 'error' } })
  const name = CFG.slice(CFG.lastIndexOf('/') + 1)
  assert.equal(await statusOf(error(`configmaps "${name}" not found`)), 404)
  assert.equal(await statusOf(error('configmaps "another" not found')), undefined)
  assert.equal(await statusOf(error(`no pod of node edge-1 uses ConfigMap ${name}`)), undefined)
  assert.equal(await statusOf((frame) => reply(frame, { ErrStatus: { reason: 'NotFound', code: 404 } })), 404)
})

test('one query goes for all who ask meanwhile; who needs the word of now gets one that was sent after its call', async () => {
  let version = 0
  const held: Frame[] = []
  const { edge, ask, queries } = await setup((frame) => {
    held.push(frame)
    return undefined
  })
  const asked = [ask(CFG, 'cloud-first'), ask(CFG, 'cloud-first'), ask(CFG, 'stored-first')]
  const now = [ask(CFG, 'cloud'), ask(CFG, 'cloud-first')]
  await edge.advance()
  assert.equal(queries().length, 2)
  for (const frame of held) await edge.dialer.pair?.cloud.send(reply(frame, config(String(++version))))
  await edge.advance()
  assert.deepEqual(
    new Set((await Promise.all(asked)).map((each) => each.object?.['data'])),
    new Set([{ version: '1' }]),
  )
  assert.deepEqual(
    (await Promise.all(now)).map((each) => each.object),
    [config('2'), config('2')],
  )
  await edge.stop()
})

test('queries go in their order, sixteen at a time, and beyond 256 that wait they are refused', async () => {
  const held: Frame[] = []
  const { edge, ask } = await setup((frame) => {
    held.push(frame)
    return undefined
  })
  const asked = Array.from({ length: 272 }, (_, at) => ask(`shop/secret/s${at}`, 'stored-first'))
  await assert.rejects(ask('shop/secret/one-more', 'stored-first'), { code: 'HUB_QUERIES_FULL' })
  await edge.advance()
  assert.equal(held.length, 16)
  for (let at = 0; at < 272; at++) {
    const frame = held[at]
    assert.ok(frame)
    await edge.dialer.pair?.cloud.send(reply(frame, { metadata: { name: `s${at}`, uid: `u${at}` } }))
    await edge.advance()
  }
  assert.deepEqual(
    held.map(({ route }) => route.resource),
    Array.from({ length: 272 }, (_, at) => `shop/secret/s${at}`),
  )
  await Promise.all(asked)
  await edge.stop()
})

test('an answer that a change or deletion overtook is given to whoever asked, and not kept', async () => {
  let held: Frame | undefined
  const { edge, ask } = await setup((frame) => {
    held = frame
    return undefined
  })
  const cases: [operation: string, version: string, kept: Json | undefined][] = [
    ['update', '7', config('7')],
    ['delete', '7', undefined],
  ]
  for (const [operation, version, kept] of cases) {
    edge.cloud.say(push('insert'), config('5'), '5')
    await edge.advance()
    const asked = ask(CFG, 'cloud')
    await edge.advance()
    edge.cloud.say(push(operation), config(version), version)
    await edge.advance()
    assert.ok(held)
    await edge.dialer.pair?.cloud.send(reply(held, config('6')))
    await edge.advance()
    assert.deepEqual((await asked).object, config('6'))
    assert.deepEqual(edge.meta.stored(CFG), kept, operation)
  }
  await edge.stop()
})

test('an answer that the disk does not take is good for whoever asked', async () => {
  const { edge, ask } = await setup(() => config('7'))
  edge.store.failure = 'disk full'
  const asked = ask(CFG, 'stored-first')
  await edge.advance()
  assert.deepEqual(await asked, { from: 'cloud', object: config('7') })
  assert.equal(edge.meta.stored(CFG), undefined)
  await edge.stop()
})

test('an original cloud gets its receipt for an answer that came too late, and so does not hold up the others', async () => {
  for (const isSkerry of [true, false]) {
    const { edge, ask, queries } = await setup(() => undefined, { isSkerry })
    const late = assert.rejects(ask(CFG, 'cloud'), { code: 'PLATFORM_DEADLINE' })
    await edge.advance(20_000)
    await late
    const [query] = queries()
    assert.ok(query)
    edge.cloud.forget()
    await edge.dialer.pair?.cloud.send(reply(query, config('7')))
    await edge.advance()
    const receipts = edge.cloud.received.filter(({ header }) => header.parent_msg_id?.startsWith('answer'))
    assert.equal(receipts.length, isSkerry ? 0 : 1)
    assert.equal(edge.meta.stored(CFG), undefined)
    await edge.stop()
  }
})

let answers = 0
test.beforeEach(() => {
  answers = 0
})

function push(operation: string) {
  return { source: 'edgecontroller', group: 'resource', operation, resource: CFG }
}

function reply(frame: Frame, content: Json): Frame {
  return {
    header: { msg_id: `answer ${++answers}`, parent_msg_id: frame.header.msg_id, timestamp: 1 },
    route: { source: 'edgecontroller', group: 'resource', operation: 'response', resource: frame.route.resource ?? '' },
    content,
  }
}
