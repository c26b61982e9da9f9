import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type Frame, nodeConditions, parseCloudCall } from '../../../../schemas/index.ts'
import { answerFor, type CallingEdge, type CallingOptions, startCalling } from '../testing/calling-edge.ts'

const URLS = { orders: 'http://shop.example/orders', bills: 'http://shop.example/bills' }
const offline = async (options: CallingOptions = {}) => {
  const edge = await startCalling(options)
  for (const [name, url] of Object.entries(URLS)) await edge.offer(name, url)
  edge.cloud.forget()
  return edge
}

async function store(edge: CallingEdge, body: string, rule = 'orders') {
  const headers = { prefer: 'respond-async', 'content-type': 'text/plain' }
  return edge.call(`/v1/rules/shop/${rule}`, { method: 'POST', body, headers })
}

const bodyOf = (frame: Frame) => Buffer.from(parseCloudCall(frame.content)?.body ?? '', 'base64').toString()
const bodies = (edge: CallingEdge) => edge.calls().map(bodyOf)

/** The Router takes each call once and answers by its receipt, unless `fate` says otherwise. */
function route(edge: CallingEdge, fate: (frame: Frame) => Frame | 'nothing' | undefined = () => undefined): string[] {
  const before = edge.cloud.answers
  const taken = new Map<string, string>()
  edge.cloud.answers = (frame) => {
    if (frame.route.source !== 'servicebus' || frame.route.operation !== 'upload') return before(frame)
    const other = fate(frame)
    if (other === 'nothing') return undefined
    if (other) return other
    if (!taken.has(frame.header.msg_id)) list.push(bodyOf(frame))
    taken.set(frame.header.msg_id, bodyOf(frame))
    return answerFor(edge, frame, 'OK')
  }
  const list: string[] = []
  return list
}

function cut(edge: CallingEdge): void {
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
}

async function connect(edge: CallingEdge): Promise<void> {
  edge.dialer.isReachable = true
  await edge.advance(31_000)
}

const refusal = (edge: CallingEdge, frame: Frame, status: number, code: string) =>
  answerFor(edge, frame, { skerry: { status, headers: { 'x-skerry-error': [code] }, body: '' } })

test('what is stored is said to be so, waits for the cloud, and arrives once and in order, over restarts', async () => {
  const first = await offline()
  cut(first)
  await first.advance(10)
  const answers = []
  for (const body of ['1', '2', '3']) answers.push(await store(first, body))
  assert.deepEqual(
    answers.map(({ status }) => status),
    [202, 202, 202],
  )
  assert.equal(answers[0]?.headers.get('preference-applied'), 'respond-async')
  assert.equal(first.serviceBus.waiting, 3)
  await first.stop()
  const second = await startCalling({ after: first, isReachable: false })
  await store(second, '4')
  const taken = route(second)
  await connect(second)
  assert.deepEqual(taken, ['1', '2', '3', '4'])
  assert.deepEqual(bodies(second), ['1', '2', '3', '4'])
  const call = parseCloudCall(second.calls()[0]?.content ?? null)
  assert.deepEqual(
    [call?.wait, call?.deadlineMs, call?.headers['content-type'], call?.uid],
    [false, undefined, ['text/plain'], 'uid-orders'],
  )
  assert.equal(second.serviceBus.waiting, 0)
  await second.stop()
  const third = await startCalling({ after: second })
  await third.advance(31_000)
  assert.deepEqual(bodies(third), [])
  await third.stop()
})

test('a link that is cut at any stage costs repetitions with the same id and no call', async () => {
  for (const stage of ['before', 'within', 'after'] as const) {
    const edge = await offline()
    let isCut = false
    const taken = route(edge, (frame) => {
      if (isCut || bodyOf(frame) !== '2') return undefined
      isCut = true
      if (stage === 'after') setImmediate(() => edge.dialer.pair?.cut('the cable'))
      else edge.dialer.pair?.cut('the cable')
      return stage === 'before' ? 'nothing' : undefined
    })
    for (const body of ['1', '2', '3']) await store(edge, body)
    await edge.advance(40_000)
    assert.deepEqual([stage, taken], [stage, ['1', '2', '3']])
    const twos = edge.calls().filter((frame) => bodyOf(frame) === '2')
    assert.equal(new Set(twos.map(({ header }) => header.msg_id)).size, 1)
    assert.equal(edge.serviceBus.waiting, 0)
    await edge.stop()
  }
})

test('a rule whose target takes nothing does not hold up another', async () => {
  const edge = await offline()
  let isBusy = true
  const taken = route(edge, (frame) =>
    isBusy && frame.route.resource === 'shop/rule/orders' ? refusal(edge, frame, 429, 'ROUTER_FULL') : undefined,
  )
  await store(edge, 'order')
  await store(edge, 'bill', 'bills')
  await edge.advance(5000)
  assert.deepEqual([taken, edge.serviceBus.waiting], [['bill'], 1])
  isBusy = false
  await edge.advance(60_000)
  assert.deepEqual([taken, edge.serviceBus.waiting], [['bill', 'order'], 0])
  await edge.stop()
})

test('what the cloud refuses for good is dropped, counted and told as a condition of the Node', async () => {
  const edge = await offline()
  const taken = route(edge, (frame) =>
    bodyOf(frame) === 'bad' ? refusal(edge, frame, 404, 'ROUTER_RULE_UNKNOWN') : undefined,
  )
  for (const body of ['1', 'bad', '2']) await store(edge, body)
  await edge.advance(1000)
  assert.deepEqual([taken, edge.serviceBus.waiting], [['1', '2'], 0])
  assert.equal(
    edge.bus.get(nodeConditions, 'StoredCallsDropped')?.message,
    'Stored calls of local applications were dropped: 1 by refused, since this node was set up',
  )
  await edge.stop()
})

test('beyond the bounds the oldest go, whichever rule they are of, and that is counted over restarts', async () => {
  const storedCalls = { maxMessages: 3, maxBytes: 2000, maxAgeHours: 1 }
  const edge = await offline({ storedCalls })
  cut(edge)
  await edge.advance(10)
  for (const body of ['1', '2', '3', '4']) await store(edge, body, body === '2' ? 'bills' : 'orders')
  assert.equal(edge.serviceBus.waiting, 3)
  const large = await store(edge, 'x'.repeat(3000))
  assert.deepEqual([large.status, large.headers.get('x-skerry-error')], [413, 'HUB_CALL_TOO_LARGE'])
  await store(edge, 'y'.repeat(1600))
  assert.ok(edge.serviceBus.waiting < 3)
  await edge.stop()
  const second = await startCalling({ after: edge, storedCalls, isReachable: false })
  assert.match(second.bus.get(nodeConditions, 'StoredCallsDropped')?.message ?? '', /2 by count/)
  await second.advance(3_600_001)
  const taken = route(second)
  await store(second, 'young')
  await connect(second)
  assert.deepEqual(taken, ['young'])
  await second.stop()
})

test('a disk that takes nothing has the caller told so, and costs nothing of what it has', async () => {
  const storedCalls = { maxMessages: 2, maxBytes: 10_000, maxAgeHours: 1 }
  const edge = await offline({ storedCalls })
  cut(edge)
  await edge.advance(10)
  for (const body of ['1', '2']) await store(edge, body)
  edge.store.failure = 'disk full'
  const refused = await store(edge, '3')
  assert.deepEqual([refused.status, refused.headers.get('x-skerry-error')], [503, 'PLATFORM_STORE_FULL'])
  edge.store.failure = undefined
  const taken = route(edge)
  await connect(edge)
  assert.deepEqual(taken, ['1', '2'])
  await edge.stop()
})

test('a KubeEdge cloud gets stored calls in its own form, at its pace', async (t: TestContext) => {
  const edge = await startCalling({ isSkerry: false })
  t.after(() => edge.stop())
  edge.cloud.say({ source: 'router_servicebus', group: 'user', resource: URLS.orders, operation: 'start' }, null)
  await edge.advance(10)
  const body = JSON.stringify({ method: 'POST', targetURL: URLS.orders, payload: { a: 1 } })
  const answer = await edge.call('/', { method: 'POST', body, headers: { prefer: 'respond-async' } })
  assert.equal(JSON.parse(answer.text).code, 202)
  await edge.advance(5000)
  assert.deepEqual(
    edge.calls().map(({ route: { resource } }) => resource),
    [URLS.orders],
  )
  assert.equal(edge.serviceBus.waiting, 0)
})
