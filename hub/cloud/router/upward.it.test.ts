import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { readBody } from '../../../platform/http/index.ts'
import { cloudCallContent, type Frame, isTaken, parseCloudAnswer } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { rule } from './testing/rules.ts'
import { startRouter } from './testing/start-router.ts'

interface Got {
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** A web service that answers with the statuses that it is given, one after the other; the last one stays. */
async function webService(t: TestContext, ...statuses: readonly number[]) {
  const got: Got[] = []
  const given = [...statuses]
  const server = createServer((request, response) => {
    void readBody(request, 10_000_000).then((body) => {
      got.push({ method: request.method ?? '', headers: request.headers, body })
      const status = given.length > 1 ? given.shift() : given[0]
      response.writeHead(status ?? 200, { location: 'http://127.0.0.1:1/elsewhere', 'x-from': 'target' })
      response.end('thanks')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { got, url: `http://127.0.0.1:${port}/in`, arrived: (count: number) => until(() => got.length >= count) }
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await pause(5)
}

const doors = (resource: string, annotations = {}) =>
  rule('eventbus->rest', { node_name: 'edge-1', topic: 'doors/+' }, { resource }, { annotations })
const said = { source: 'bus', group: 'user', operation: 'upload' }

test('what an edge says reaches the web service byte for byte, with an id, and only then is counted', async (t) => {
  const service = await webService(t, 200)
  const router = await startRouter(t, [doors(service.url)])
  const edge = router.edge('edge-1', () => undefined)
  const bytes = Buffer.from([0, 255, 1])
  const frame = edge.say({ ...said, resource: 'shop/doors/1' }, { skerry: { base64: bytes.toString('base64') } })
  edge.say({ ...said, resource: 'shop/windows/1' }, 'nobody hears it')
  await service.arrived(1)
  const [got] = service.got
  assert.deepEqual([got?.method, got?.body], ['POST', bytes])
  assert.equal(got?.headers['x-skerry-message-id'], frame.header.msg_id)
  assert.deepEqual(
    [got?.headers['x-skerry-node'], got?.headers['x-skerry-topic'], got?.headers['x-skerry-rule']],
    ['edge-1', 'shop/doors/1', 'shop/lights'],
  )
  const receipts = () => edge.received.filter(({ header }) => header.parent_msg_id === frame.header.msg_id)
  await until(() => receipts().length === 1)
  await until(async () => /skerry_router_waiting 0/.test(await router.metrics()))
  await router.stop()
  assert.equal((await router.rule())?.status?.['successMessages'], 1)
})

test('two rules that send to each other send each message on once, and the younger says why it is not followed', async (t) => {
  const ends = (from: string, to: string) =>
    [
      { node_name: from, topic: 'a' },
      { node_name: to, topic: 'shop/a' },
    ] as const
  const there = rule('eventbus->eventbus', ...ends('edge-1', 'edge-2'), { name: 'there' })
  const back = rule('eventbus->eventbus', ...ends('edge-2', 'edge-1'), { name: 'back', age: 9 })
  const router = await startRouter(t, [there, back])
  const [one, two] = [
    router.edge('edge-1', () => ({ content: 'OK' })),
    router.edge('edge-2', () => ({ content: 'OK' })),
  ]
  const published = ({ received }: typeof one) => received.filter(({ route }) => route.operation === 'publish')
  one.say({ ...said, resource: 'shop/a' }, 'once')
  await until(() => published(two).length > 0)
  // As its uplink does, which hears what is published at its broker.
  const frame = two.say({ ...said, resource: 'shop/a' }, 'once')
  await until(() => two.received.some(({ header }) => header.parent_msg_id === frame.header.msg_id))
  one.say({ ...said, resource: 'shop/a' }, 'twice')
  await until(() => published(two).length > 1)
  assert.deepEqual(
    [one, two].map((edge) => published(edge).map(({ content }) => content)),
    [[], ['once', 'twice']],
  )
  const conditions = async (name: string) => JSON.stringify((await router.rule(name))?.status?.['conditions'] ?? [])
  await until(async () => (await conditions('there')) !== '[]' && (await conditions('back')) !== '[]')
  assert.match(await conditions('there'), /"status":"True","reason":"Accepted"/)
  assert.match(await conditions('back'), /"status":"False","reason":"Circle","message":"a message would go round/)
})

test('a target that is away gets it later, the same message, in order', async (t) => {
  const service = await webService(t, 503, 429, 200)
  const router = await startRouter(t, [doors(service.url)])
  const edge = router.edge('edge-1', () => undefined)
  edge.say({ ...said, resource: 'shop/doors/1' }, 'first')
  edge.say({ ...said, resource: 'shop/doors/2' }, 'second')
  await service.arrived(4)
  assert.deepEqual(
    service.got.map(({ body }) => body.toString()),
    ['first', 'first', 'first', 'second'],
  )
  assert.equal(new Set(service.got.slice(0, 3).map(({ headers }) => headers['x-skerry-message-id'])).size, 1)
})

test('while a target is away, the status of the rule says once why messages wait, and that none has failed', async (t) => {
  const service = await webService(t, 503, 503, 503)
  const router = await startRouter(t, [doors(service.url)])
  const edge = router.edge('edge-1', () => undefined)
  edge.say({ ...said, resource: 'shop/doors/1' }, 'open')
  await service.arrived(2)
  await router.stop()
  const status = (await router.rule())?.status
  assert.match(JSON.stringify(status?.['errors']), /^\["\S+ node edge-1 waits: the target answered with 503"\]$/)
  assert.deepEqual([status?.['successMessages'], status?.['failMessages']], [0, 0])
})

test('what was taken survives a restart of the Router, and goes to the rule as it is then', async (t) => {
  const folder = await temporaryFolder()
  const away = await webService(t, 503)
  const router = await startRouter(t, [doors(away.url)], { folder })
  const edge = router.edge('edge-1', () => undefined)
  const frame = edge.say({ ...said, resource: 'shop/doors/1' }, 'open')
  await until(() => edge.received.some(({ header }) => header.parent_msg_id === frame.header.msg_id))
  await router.stop()
  const service = await webService(t, 200)
  const again = await startRouter(t, [], { folder, kubernetes: router.kubernetes })
  await again.apply(doors(service.url))
  await service.arrived(1)
  assert.equal(service.got[0]?.body.toString(), 'open')
  assert.equal(service.got[0]?.headers['x-skerry-message-id'], frame.header.msg_id)
})

test('a name that a node makes up cannot stop its messages, nor write headers', async (t) => {
  const service = await webService(t, 200)
  const router = await startRouter(t, [doors(service.url)])
  const edge = router.edge('edge-1', () => undefined)
  edge.say({ ...said, resource: 'shop/doors/\ud800' }, 'one', 'a\r\nx-evil: 1\ud800')
  await service.arrived(1)
  const headers = service.got[0]?.headers
  assert.equal(headers?.['x-evil'], undefined)
  assert.match(String(headers?.['x-skerry-message-id']), /^a%0D%0Ax-evil%3A%201%EF%BF%BD$/)
})

test('a refusal and a redirection are final: a dead letter that can be read, an Event, and the next one is sent', async (t) => {
  const service = await webService(t, 404, 302, 200)
  const router = await startRouter(t, [doors(service.url)])
  const edge = router.edge('edge-1', () => undefined)
  for (const text of ['one', 'two', 'three']) edge.say({ ...said, resource: 'shop/doors/1' }, text)
  await service.arrived(3)
  await until(async () => /skerry_router_waiting 0/.test(await router.metrics()))
  await until(() =>
    router.kubernetes.writes.some((call) => call.startsWith('CREATE events') || call.startsWith('POST events')),
  )
  await router.stop()
  const status = (await router.rule())?.status
  assert.deepEqual([status?.['successMessages'], status?.['failMessages']], [1, 2])
  const letters = JSON.stringify(status?.['deadLetters'])
  assert.match(
    letters,
    /"node":"edge-1","topic":"shop\/doors\/1".*the target answered with 404.*"bytes":3,"payload":"b25l"/,
  )
  assert.match(JSON.stringify(status?.['errors']), /the target answered with 302/)
})

test('a queue that is full lets the oldest go, visibly, and a message that is too large never waits', async (t) => {
  const service = await webService(t, 503)
  const annotations = { 'skerry.dev/queue-messages': '2', 'skerry.dev/max-body-bytes': '5' }
  const router = await startRouter(t, [doors(service.url, annotations)])
  const edge = router.edge('edge-1', () => undefined)
  for (const text of ['one', 'two', 'three', 'four', 'too large']) edge.say({ ...said, resource: 'shop/doors/1' }, text)
  await until(() => edge.received.length >= 5)
  await router.stop()
  const status = (await router.rule())?.status
  assert.match(
    JSON.stringify(status?.['errors']),
    /the queue of the rule is full.*larger than the rule allows|larger than.*queue of the rule is full/,
  )
  assert.ok(Number(status?.['failMessages']) >= 2)
})

test('messages of a rule that was deleted are let go, and block nothing', async (t) => {
  const service = await webService(t, 503)
  const router = await startRouter(t, [doors(service.url)])
  const edge = router.edge('edge-1', () => undefined)
  edge.say({ ...said, resource: 'shop/doors/1' }, 'one')
  await service.arrived(1)
  await router.remove(doors(service.url))
  await until(async () => /skerry_router_waiting 0/.test(await router.metrics()))
  assert.match(await router.metrics(), /deliveries_total\{outcome="final"\} 1/)
  await router.apply(doors(service.url))
  await router.stop()
  assert.match(JSON.stringify((await router.rule())?.status?.['deadLetters']), /"its rule was deleted".*"b25l"/)
})

test('from a topic of one node to one of another, also where that is away for a while', async (t) => {
  const between = rule(
    'eventbus->eventbus',
    { node_name: 'edge-1', topic: 'doors/+' },
    { node_name: 'edge-2', topic: 'alarm' },
  )
  const router = await startRouter(t, [between])
  const edge = router.edge('edge-1', () => undefined)
  edge.say({ ...said, resource: 'shop/doors/1' }, 'open')
  await until(async () => /deliveries_total\{outcome="later"\} 1/.test(await router.metrics()))
  const other = router.edge('edge-2', () => ({ content: 'OK' }))
  await until(() => other.received.some(({ route }) => route.operation === 'publish'))
  const published = other.received.find(({ route }) => route.operation === 'publish')
  assert.deepEqual([published?.route.resource, published?.content], ['alarm', 'open'])
  await until(async () => /skerry_router_waiting 0/.test(await router.metrics()))
})

const orders = (resource: string) =>
  rule('servicebus->rest', { node_name: 'edge-1', target_url: 'http://orders' }, { resource })
const call = (wait: boolean) =>
  cloudCallContent({ method: 'PUT', headers: { 'content-type': ['text/csv'], cookie: ['a'] }, body: 'YWI=', wait })
const calls = { source: 'servicebus', group: 'user', operation: 'upload', resource: 'shop/rule/lights' }

test('an application of an edge is answered what the target said, or at once why not, and called once', async (t) => {
  const service = await webService(t, 418)
  const router = await startRouter(t, [orders(service.url)])
  const edge = router.edge('edge-1', () => undefined)
  const answer = async (asked: Frame) => {
    const found = () => edge.received.find(({ header }) => header.parent_msg_id === asked.header.msg_id)
    await until(() => found() !== undefined)
    return parseCloudAnswer(found()?.content ?? null)
  }
  const answered = await answer(edge.say(calls, call(true)))
  assert.deepEqual([answered?.status, Buffer.from(answered?.body ?? '', 'base64').toString()], [418, 'thanks'])
  assert.deepEqual(answered?.headers['x-from'], ['target'])
  assert.deepEqual([service.got.length, service.got[0]?.method, service.got[0]?.body.toString()], [1, 'PUT', 'ab'])
  assert.deepEqual([service.got[0]?.headers['content-type'], service.got[0]?.headers.cookie], ['text/csv', undefined])
  const unknown = await answer(edge.say({ ...calls, resource: 'shop/rule/other' }, call(true)))
  assert.deepEqual([unknown?.status, unknown?.headers['x-skerry-error']], [404, ['HUB_RULE_NOT_FOUND']])
  await router.apply(orders('http://127.0.0.1:1/'))
  const refused = await answer(edge.say(calls, call(true)))
  assert.deepEqual([refused?.status, refused?.headers['x-skerry-error']], [502, ['HUB_TARGET_UNREACHABLE']])
  const other = router.edge('edge-2', () => undefined)
  const foreign = other.say(calls, call(true))
  await until(() => other.received.some(({ header }) => header.parent_msg_id === foreign.header.msg_id))
  assert.match(JSON.stringify(other.received), /HUB_RULE_NOT_FOUND/)
})

test('a call for which nobody waits is taken at once, and made until the target has it', async (t) => {
  const service = await webService(t, 503, 204)
  const router = await startRouter(t, [orders(service.url)])
  const edge = router.edge('edge-1', () => undefined)
  const frame = edge.say(calls, call(false))
  await until(() =>
    edge.received.some(({ header, content }) => header.parent_msg_id === frame.header.msg_id && isTaken(content)),
  )
  await service.arrived(2)
  assert.deepEqual([service.got[1]?.method, service.got[1]?.body.toString()], ['PUT', 'ab'])
  assert.equal(service.got[1]?.headers['x-skerry-topic'], 'http://orders')
})
