import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Frame } from '../../../schemas/index.ts'
import { serviceAnswerContent } from '../../../schemas/index.ts'
import { rule } from './testing/rules.ts'
import { startRouter } from './testing/start-router.ts'

const lights = rule('rest->eventbus', { path: '/lights' }, { topic: 'lights/cmd' })
const state = rule('rest->servicebus', { path: 'state' }, { path: '/api/state' }, { name: 'state' })
const taken = () => ({ content: 'OK' })
const bodyOf = ({ body }: { readonly body: Buffer }) => body.toString()
const service =
  (status: number, body: string, headers = {}) =>
  () => ({
    content: serviceAnswerContent({ status, headers, body: Buffer.from(body).toString('base64') }),
    operation: 'upload',
  })

test('a call is published at the edge, and answered when the edge has it', async (t) => {
  const router = await startRouter(t, [lights])
  const edge = router.edge('edge-1', taken)
  const answer = await router.call('/edge-1/shop/lights/hall/1', { body: 'on' })
  assert.deepEqual([answer.status, bodyOf(answer)], [200, 'message delivered'])
  const asked = edge.received.find(({ route }) => route.source === 'router_eventbus')
  assert.deepEqual(asked?.route, {
    source: 'router_eventbus',
    group: 'user',
    operation: 'publish',
    resource: 'lights/cmd/hall/1',
  })
  assert.equal(asked?.content, 'on')
})

test('any bytes arrive as they were, at an original edge as it takes them, which cannot say that it has them', async (t) => {
  const router = await startRouter(t, [lights])
  const edge = router.edge('edge-1', taken)
  const original = router.edge('edge-2', () => undefined, false)
  const body = Buffer.from([0, 255, 128])
  await router.call('/edge-1/shop/lights', { body })
  const answer = await router.call('/edge-2/shop/lights', { body: 'on' })
  assert.deepEqual([answer.status, bodyOf(answer)], [202, 'message delivered to the hub'])
  const said = (frames: readonly Frame[]) => frames.find(({ route }) => route.operation === 'publish')?.content
  assert.deepEqual(said(edge.received), { skerry: { base64: body.toString('base64') } })
  assert.equal(said(original.received), 'on')
})

test('who does not wait is answered at once', async (t) => {
  const router = await startRouter(t, [lights])
  router.edge('edge-1', () => undefined)
  const answer = await router.call('/edge-1/shop/lights', { body: 'on', headers: { 'x-skerry-wait': 'none' } })
  assert.equal(answer.status, 202)
  const wrong = await router.call('/edge-1/shop/lights', { body: 'on', headers: { 'x-skerry-wait': 'answer' } })
  assert.deepEqual([wrong.status, wrong.headers['x-skerry-error']], [400, 'HUB_CALL_WAIT'])
})

test('failures of the edge are answered at once, each with its reason', async (t) => {
  const router = await startRouter(t, [lights, state])
  const refused = () => ({ content: 'HUB_TOPIC_REFUSED: no such topic', operation: 'error' })
  const edge = router.edge('edge-1', refused)
  const code = async (path: string) => {
    const { status, headers } = await router.call(path, { body: 'on' })
    return `${status} ${headers['x-skerry-error']}`
  }
  assert.equal(await code('/edge-1/shop/lights'), '502 HUB_TOPIC_REFUSED')
  assert.equal(await code('/edge-9/shop/lights'), '503 HUB_NODE_AWAY')
  const leaving = code('/edge-2/shop/lights')
  router.edge('edge-2', () => undefined)
  const second = router.edge('edge-3', () => undefined)
  const waiting = code('/edge-3/shop/lights')
  while (!second.received.some(({ route }) => route.operation === 'publish')) await new Promise(setImmediate)
  second.disconnect()
  assert.equal(await waiting, '502 HUB_NODE_AWAY')
  edge.disconnect()
  assert.equal(await code('/edge-1/shop/state'), '503 HUB_NODE_AWAY')
  router.cloud.hub.cutOff('edge-2', 'test')
  assert.match(await leaving, /50[23] HUB_NODE_AWAY/)
})

test('a service is called with method, headers, query and body, and its answer goes back whatever its status', async (t) => {
  const router = await startRouter(t, [state])
  const edge = router.edge(
    'edge-1',
    service(418, 'tea', { 'X-Pot': ['1', '2'], 'Set-Cookie': ['a=b'], Connection: ['close'] }),
  )
  const headers = { cookie: 'secret', 'x-mine': 'yes', connection: 'x-hop, keep-alive', 'x-hop': '1', te: 'trailers' }
  const answer = await router.call('/edge-1/shop/state/now?depth=1&x=%20', { method: 'PUT', body: 'in', headers })
  assert.deepEqual([answer.status, bodyOf(answer), answer.headers['x-pot']], [418, 'tea', '1, 2'])
  assert.equal(answer.headers['set-cookie'], undefined)
  const asked = edge.received.filter(({ route }) => route.source === 'router_servicebus')
  assert.equal(asked.length, 1)
  assert.deepEqual(asked[0]?.route, {
    source: 'router_servicebus',
    group: 'user',
    operation: 'PUT',
    resource: '8080:/api/state/now?depth=1&x=%20',
  })
  assert.deepEqual(asked[0]?.content, {
    header: { 'x-mine': ['yes'] },
    body: Buffer.from('in').toString('base64'),
    method: 'PUT',
    url: '',
    skerry: { deadlineMs: 30_000 },
  })
})

test('a HEAD that goes in a frame is not said to have a body of nothing', async (t) => {
  const router = await startRouter(t, [state])
  router.edge('edge-1', service(200, '', { 'Content-Length': ['5'] }))
  const answer = await router.call('/edge-1/shop/state', { method: 'HEAD' })
  assert.deepEqual([answer.status, answer.headers['content-length']], [200, undefined])
})

test('a caller that leaves within its body is no failure of the rule, and reaches no node', async (t) => {
  const router = await startRouter(t, [lights])
  const edge = router.edge('edge-1', taken)
  const socket = connect(router.router.port, '127.0.0.1')
  socket.write(
    'POST /edge-1/shop/lights HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ann\r\nContent-Length: 9\r\n\r\nhal',
  )
  while (!/calls_total/.test(await router.metrics())) {
    await new Promise(setImmediate)
    socket.destroySoon()
  }
  assert.equal((await router.call('/edge-1/shop/lights', { body: 'whole' })).status, 200)
  await router.stop()
  const status = (await router.rule())?.status
  assert.deepEqual([status?.['successMessages'], status?.['failMessages']], [1, 0])
  assert.equal(edge.received.filter(({ route }) => route.operation === 'publish').length, 1)
})

test('callers are asked who they are, and whether they may call this rule', async (t) => {
  const router = await startRouter(t, [lights])
  router.edge('edge-1', taken)
  const unknown = await router.call('/edge-1/shop/lights', { token: '' })
  assert.deepEqual([unknown.status, unknown.headers['www-authenticate']], [401, 'Bearer'])
  assert.equal((await router.call('/edge-1/shop/lights', { token: 'eve' })).status, 401)
  router.forbidden.add('bob lights')
  const forbidden = await router.call('/edge-1/shop/lights', { token: 'bob' })
  assert.deepEqual([forbidden.status, forbidden.headers['x-skerry-error']], [403, 'HUB_CALL_FORBIDDEN'])
  assert.equal((await router.call('/edge-1/shop/lights')).status, 200)
})

test('what no rule hears is answered in KubeEdge’s words, and a path that could mean two things is refused', async (t) => {
  const router = await startRouter(t, [lights])
  for (const path of ['/', '/edge-1', '/edge-1/shop', '/edge-1/shop/doors', '/edge-1/other/lights']) {
    const answer = await router.call(path)
    assert.deepEqual([answer.status, bodyOf(answer)], [404, 'Request error'], path)
  }
  for (const path of [
    '/edge-1/shop/lights/%2e%2e/x',
    '/edge-1/shop/lights//x',
    '/edge-1/shop/lights/a%2fb',
    '/edge-1/shop/lights/%zz',
    '/edge-1/shop/lights/%00',
  ])
    assert.equal((await router.call(path)).status, 400, path)
})

test('limits of a rule: body, rate and concurrency, each with when to come again', async (t) => {
  const annotations = {
    'skerry.dev/max-body-bytes': '4',
    'skerry.dev/rate-per-second': '1',
    'skerry.dev/concurrency': '1',
  }
  const router = await startRouter(t, [{ ...lights, metadata: { ...lights.metadata, annotations } }, state])
  const held = router.edge('edge-1', () => undefined)
  const first = router.call('/edge-1/shop/lights', { body: 'on' })
  while (!held.received.some(({ route }) => route.operation === 'publish')) await new Promise(setImmediate)
  const busy = await router.call('/edge-1/shop/lights', { body: 'on' })
  assert.deepEqual(
    [busy.status, busy.headers['retry-after'], busy.headers['x-skerry-error']],
    [503, '1', 'HUB_RULE_CONCURRENCY'],
  )
  held.disconnect()
  assert.equal((await first).status, 502)
  router.edge('edge-1', taken)
  assert.equal((await router.call('/edge-1/shop/lights', { body: 'too long' })).status, 413)
  const fast = await router.call('/edge-1/shop/lights', { body: 'on' })
  assert.deepEqual(
    [fast.status, fast.headers['retry-after'], fast.headers['x-skerry-error']],
    [429, '1', 'HUB_RULE_RATE'],
  )
})

test('rules that change under load are followed from the next call on, and calls under way end as they began', async (t) => {
  const router = await startRouter(t, [lights])
  const waiting: Frame[] = []
  const edge = router.edge('edge-1', (frame) => void waiting.push(frame))
  const first = router.call('/edge-1/shop/lights', { body: '1' })
  while (waiting.length < 1) await new Promise(setImmediate)
  await router.apply({ ...lights, spec: { ...lights.spec, targetResource: { topic: 'lamps' } } })
  const second = router.call('/edge-1/shop/lights', { body: '2' })
  while (waiting.length < 2) await new Promise(setImmediate)
  await router.remove(lights)
  assert.equal((await router.call('/edge-1/shop/lights', { body: '3' })).status, 404)
  for (const frame of waiting) edge.answer(frame, 'OK')
  assert.deepEqual([(await first).status, (await second).status], [200, 200])
  assert.deepEqual(
    waiting.map(({ route }) => route.resource),
    ['lights/cmd', 'lamps'],
  )
})

test('status says that a rule is followed, and how many calls reached the edge, over a restart', async (t) => {
  const router = await startRouter(t, [lights])
  router.edge('edge-1', taken)
  for (let count = 0; count < 3; count++) await router.call('/edge-1/shop/lights', { body: 'on' })
  await router.call('/edge-2/shop/lights', { body: 'on' })
  await router.stop()
  const status = (await router.rule())?.status
  assert.deepEqual([status?.['successMessages'], status?.['failMessages']], [3, 1])
  assert.match(JSON.stringify(status?.['errors']), /node edge-2: HUB_NODE_AWAY/)
  assert.match(JSON.stringify(status?.['conditions']), /"type":"Accepted","status":"True"/)
  const again = await startRouter(t, [], { kubernetes: router.kubernetes })
  again.edge('edge-1', taken)
  await again.call('/edge-1/shop/lights', { body: 'on' })
  await again.stop()
  assert.equal((await router.rule())?.status?.['successMessages'], 4)
})
