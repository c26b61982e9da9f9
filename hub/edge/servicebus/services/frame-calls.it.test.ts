import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Frame, Json } from '../../../../schemas/index.ts'
import { type BenchOptions, type EdgeBench, startEdge } from '../../testing/edge-bench.ts'
import { startRawService, startService } from '../testing/local-service.ts'
import { serviceAt } from '../testing/tunnel-bench.ts'

const ROUTE = { group: 'user', source: 'router_servicebus' }

/** Says a call as KubeEdge's Router does, and gives what is answered. */
async function call(edge: EdgeBench, resource: string, content: Json, operation = 'POST'): Promise<Frame> {
  const asked = edge.cloud.say({ ...ROUTE, operation, resource }, content)
  for (;;) {
    await edge.advance(1)
    await turn()
    const answer = edge.cloud.received.find(({ header }) => header.parent_msg_id === asked.header.msg_id)
    if (answer) return answer
  }
}

const request = (over: object = {}): Json =>
  JSON.parse(JSON.stringify({ header: null, body: null, method: 'POST', url: '', ...over }))

function answered({ content }: Frame): { status: number; header: Record<string, string[]>; body: Buffer } {
  const { status_code: status, header, body } = Object(content)
  return { status, header, body: Buffer.from(body ?? '', 'base64') }
}

async function start(options: BenchOptions): Promise<EdgeBench> {
  const edge = await startEdge(options)
  await edge.advance(100)
  edge.cloud.forget()
  return edge
}

for (const isSkerry of [true, false]) {
  test(`71: ${isSkerry ? 'a Skerry' : 'an original'} cloud calls a local service in one frame, and gets its status, headers and bytes`, async (t) => {
    const seen: unknown[] = []
    const port = await startService(t, async (incoming, response) => {
      const { method, url, headers } = incoming
      seen.push([method, url, headers['x-two'], headers['content-type'], await text(incoming)])
      response.writeHead(201, { 'content-type': 'application/octet-stream', 'set-cookie': ['a=1', 'b=2'] })
      response.end(Buffer.from([0, 255, 128, 65]))
    })
    const edge = await start({ isSkerry, services: [serviceAt(port)] })
    const header = { 'X-Two': ['a', 'b'], 'Content-Type': ['text/plain'], Connection: ['close'] }
    const body = Buffer.from('on').toString('base64')
    const answer = await call(edge, `${port}:/lights/1?now=yes`, request({ header, body }))
    assert.deepEqual(seen, [['POST', '/lights/1?now=yes', 'a, b', 'text/plain', 'on']])
    assert.deepEqual(answer.route, { source: 'servicebus', group: 'user', operation: 'upload' })
    const { status, header: back, body: bytes } = answered(answer)
    assert.deepEqual(
      [status, back['Content-Type'], back['Set-Cookie']],
      [201, ['application/octet-stream'], ['a=1', 'b=2']],
    )
    assert.deepEqual([...bytes], [0, 255, 128, 65])
    await edge.stop()
  })
}

test('105: whatever goes wrong with a call of a local service is answered at once, as an upload, so that its caller does not wait', async (t) => {
  const port = await startRawService(t, (socket) => void socket.end('nonsense'))
  const large = await startService(t, (_request, response) => response.end(Buffer.alloc(5_000_001)))
  const edge = await start({ isSkerry: false, services: [serviceAt(port), serviceAt(large), serviceAt(1)] })
  const cases: readonly [resource: string, content: Json, status: number, code: string][] = [
    ['8080:/lights', request(), 403, 'HUB_SERVICE_NOT_ALLOWED'],
    ['no port at all', request(), 400, 'HUB_SERVICE_REQUEST_MALFORMED'],
    [`${port}:/`, 'no request', 400, 'HUB_SERVICE_REQUEST_MALFORMED'],
    [`${port}:/`, request({ header: { 'X-A': ['b\r\nX-C: d'] } }), 400, 'HUB_SERVICE_REQUEST_MALFORMED'],
    [`${port}:/`, request({ body: '!' }), 400, 'HUB_SERVICE_REQUEST_MALFORMED'],
    ['1:/', request(), 502, 'HUB_SERVICE_UNREACHABLE'],
    [`${port}:/`, request(), 502, 'HUB_SERVICE_ANSWER_MALFORMED'],
    [`${large}:/`, request(), 502, 'HUB_SERVICE_ANSWER_TOO_LARGE'],
    [`${port}:/`, request({ method: 'BREW' }), 405, 'HUB_SERVICE_METHOD_REFUSED'],
  ]
  for (const [resource, content, status, code] of cases) {
    const answer = await call(edge, resource, content)
    assert.deepEqual([answer.route.operation, answer.route.group], ['upload', 'user'])
    const { status: told, header, body } = answered(answer)
    assert.deepEqual([resource, told, header['X-Skerry-Error']], [resource, status, [code]])
    assert.equal(JSON.parse(body.toString()).code, code)
  }
  await edge.stop()
})

test('calls that take long hold up neither each other nor the objects of the cloud', async (t) => {
  const held: (() => void)[] = []
  const port = await startService(t, (_request, response) => void held.push(() => response.end('late')))
  const edge = await start({ services: [serviceAt(port, { maxConcurrent: 200, timeoutSeconds: 3600 })] })
  for (let count = 0; count < 200; count++) {
    edge.cloud.say({ ...ROUTE, operation: 'GET', resource: `${port}:/` }, request({ method: 'GET' }))
  }
  const route = { group: 'resource', source: 'edgecontroller', operation: 'insert', resource: 'a/configmap/b' }
  const object = edge.cloud.say(route, { metadata: { name: 'b', namespace: 'a' } }, '1')
  const isHere = () => edge.cloud.received.some(({ header }) => header.parent_msg_id === object.header.msg_id)
  const refusals = () => edge.cloud.received.filter((frame) => Object(frame.content).status_code === 503)
  while (!isHere() || held.length < 64 || refusals().length < 136) {
    await edge.advance(1)
    await turn()
  }
  for (const release of held) release()
  await edge.stop()
})

test('a link that goes ends the calls that came by it', async (t) => {
  const asked = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const port = await startService(t, (incoming) => {
    incoming.on('close', () => left.resolve())
    asked.resolve()
  })
  const edge = await start({ services: [serviceAt(port)] })
  edge.cloud.say({ ...ROUTE, operation: 'GET', resource: `${port}:/` }, request({ method: 'GET' }))
  await edge.advance(1)
  await asked.promise
  edge.dialer.pair?.cut('the cable')
  await edge.advance(1)
  await left.promise
  await edge.stop()
})
