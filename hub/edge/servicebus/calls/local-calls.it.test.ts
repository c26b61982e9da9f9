import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { hashPassword, passwordLine } from '../../../../platform/bus/mqtt/access/index.ts'
import { cloudAnswerContent, parseCloudCall } from '../../../../schemas/index.ts'
import { needs } from '../../../../tools/testing/needs.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { answerFor, type CallingEdge, startCalling } from '../testing/calling-edge.ts'

const run = promisify(execFile)
const ORDERS = 'http://shop.example/orders'
const base64 = (value: string | Buffer) => Buffer.from(value).toString('base64')
const said = (status: number, body: string | Buffer, headers: Record<string, string[]> = {}) =>
  cloudAnswerContent({ status, headers, body: base64(body) })

/** The cloud answers each call so. */
function answering(edge: CallingEdge, status: number, body: string | Buffer, headers: Record<string, string[]> = {}) {
  const before = edge.cloud.answers
  edge.cloud.answers = (frame) =>
    frame.route.source === 'servicebus' ? answerFor(edge, frame, said(status, body, headers)) : before(frame)
}

test('an application calls a rule with any bytes, and gets what its target answers', async () => {
  const edge = await startCalling()
  await edge.offer('orders', ORDERS)
  const bytes = Buffer.from([0, 255, 128, 65])
  answering(edge, 201, bytes, {
    'content-type': ['application/x-own'],
    'x-of': ['target'],
    'x-bad': ['a\r\nb: c'],
    connection: ['x'],
  })
  const answer = await edge.call('/v1/rules/shop/orders', {
    method: 'PUT',
    headers: {
      'content-type': 'application/octet-stream',
      'x-mine': 'yes',
      authorization: `Basic ${base64('a:b')}`,
      cookie: 'c=1',
    },
    body: bytes,
  })
  assert.deepEqual([answer.status, answer.headers.get('x-of'), answer.headers.get('x-bad')], [201, 'target', null])
  assert.equal(answer.headers.get('content-type'), 'application/x-own')
  const [frame] = edge.calls()
  assert.deepEqual(frame?.route, {
    source: 'servicebus',
    group: 'user',
    operation: 'upload',
    resource: 'shop/rule/orders',
  })
  const call = parseCloudCall(frame?.content ?? null)
  assert.deepEqual(
    [call?.method, call?.uid, call?.body, call?.wait, call?.deadlineMs],
    ['PUT', 'uid-orders', base64(bytes), true, 60_000],
  )
  assert.deepEqual([call?.headers['x-mine'], call?.headers['content-type']], [['yes'], ['application/octet-stream']])
  for (const name of ['authorization', 'cookie', 'host', 'connection', 'content-length'])
    assert.equal(call?.headers[name], undefined)
  await edge.stop()
})

test('KubeEdge\u2019s form: a target URL of a rule is called, and its body comes back as text', async () => {
  const edge = await startCalling()
  await edge.offer('orders', ORDERS)
  answering(edge, 201, 'made')
  const post = (value: string) => edge.call('/', { method: 'POST', body: value })
  const good = await post(`{"method":"put","targetURL":"${ORDERS}","payload":{"id":12345678901234567890}}`)
  assert.deepEqual(
    [good.status, JSON.parse(good.text)],
    [200, { code: 200, msg: 'receive response from cloud successfully', body: 'made' }],
  )
  const call = parseCloudCall(edge.calls()[0]?.content ?? null)
  assert.deepEqual(
    [call?.method, Buffer.from(call?.body ?? '', 'base64').toString()],
    ['PUT', '{"id":12345678901234567890}'],
  )
  const other = await post('{"method":"POST","targetURL":"http://other.example","payload":1}')
  assert.equal(other.status, 200)
  assert.match(other.text, /"code":400,"msg":"url http:\/\/other\.example is not allowed and please make a rule/)
  assert.equal(JSON.parse((await post('no JSON')).text).code, 400)
  answering(edge, 409, 'there already')
  const conflict = JSON.parse((await post(`{"method":"POST","targetURL":"${ORDERS}","payload":1}`)).text)
  assert.deepEqual([conflict.code, conflict.body], [409, 'there already'])
  await edge.stop()
})

test('towards a KubeEdge cloud a call is KubeEdge\u2019s own: registered by start, over with stop, the URL as resource', async () => {
  const edge = await startCalling({ isSkerry: false })
  const route = { source: 'router_servicebus', group: 'user', resource: ORDERS }
  edge.cloud.say({ ...route, operation: 'start' }, null)
  await edge.advance(10)
  const before = edge.cloud.answers
  edge.cloud.answers = (frame) => (frame.route.source === 'servicebus' ? answerFor(edge, frame, 'made') : before(frame))
  const body = `{"method":"POST","targetURL":"${ORDERS}","payload":{"a":1}}`
  const answer = await edge.call('/', { method: 'POST', body })
  assert.deepEqual(JSON.parse(answer.text), {
    code: 200,
    msg: 'receive response from cloud successfully',
    body: 'made',
  })
  const [frame] = edge.calls()
  assert.deepEqual(frame?.route, { source: 'servicebus', group: 'user', operation: 'upload', resource: ORDERS })
  assert.equal(Buffer.from(String(frame?.content), 'base64').toString(), body)
  await edge.stop()
  const again = await startCalling({ isSkerry: false, after: edge })
  assert.match((await again.call('/v1/rules')).text, /shop\.example/)
  again.cloud.say({ ...route, resource: ORDERS.replace('//', '/'), operation: 'stop' }, null)
  await again.advance(10)
  assert.equal(JSON.parse((await again.call('/', { method: 'POST', body })).text).code, 400)
  await again.stop()
})

test('rules take effect at once, and end at once', async () => {
  const edge = await startCalling()
  const post = () => edge.call('/v1/rules/shop/orders', { method: 'POST', body: 'x' })
  assert.equal((await post()).status, 404)
  await edge.offer('orders', ORDERS)
  answering(edge, 200, 'yes')
  assert.equal((await post()).status, 200)
  assert.deepEqual(JSON.parse((await edge.call('/v1/rules')).text), {
    items: [{ namespace: 'shop', name: 'orders', targetURL: ORDERS }],
  })
  await edge.withdraw('orders')
  assert.equal((await post()).status, 404)
  await edge.stop()
})

test('without the cloud, and where it does not answer, the caller is told and not kept waiting', async () => {
  const edge = await startCalling()
  await edge.offer('orders', ORDERS)
  const before = edge.cloud.answers
  const post = (headers: Record<string, string> = {}) =>
    edge.call('/v1/rules/shop/orders', { method: 'POST', body: 'x', headers })
  edge.cloud.answers = (frame) => (frame.route.source === 'servicebus' ? undefined : before(frame))
  const silent = await post({ prefer: 'wait=1' })
  assert.deepEqual([silent.status, silent.headers.get('x-skerry-error')], [504, 'HUB_CLOUD_SILENT'])
  edge.cloud.answers = (frame) =>
    frame.route.source === 'servicebus' ? answerFor(edge, frame, 'no such thing', 'error') : before(frame)
  const refused = await post()
  assert.deepEqual([refused.status, refused.headers.get('x-skerry-error')], [502, 'HUB_REQUEST_FAILED'])
  edge.dialer.isReachable = false
  edge.dialer.pair?.cut('the cable')
  await edge.advance(10)
  const away = await post()
  assert.deepEqual(
    [away.status, away.headers.get('x-skerry-error'), away.headers.get('retry-after')],
    [503, 'HUB_OFFLINE', '1'],
  )
  const body = JSON.stringify({ method: 'POST', targetURL: ORDERS, payload: 1 })
  assert.equal(JSON.parse((await edge.call('/', { method: 'POST', body })).text).code, 503)
  await edge.stop()
})

test('a link that breaks while somebody waits is told at once', async () => {
  const edge = await startCalling()
  await edge.offer('orders', ORDERS)
  const before = edge.cloud.answers
  edge.cloud.answers = (frame) => {
    if (frame.route.source !== 'servicebus') return before(frame)
    edge.dialer.pair?.cut('the cable')
    return undefined
  }
  const answer = await edge.call('/v1/rules/shop/orders', { method: 'POST', body: 'x' })
  assert.deepEqual([answer.status, answer.headers.get('x-skerry-error')], [502, 'HUB_LINK_ENDED'])
  await edge.stop()
})

test('a page in a browser calls nothing, however it tries', async () => {
  const edge = await startCalling({ origins: ['http://panel.example'] })
  await edge.offer('orders', ORDERS)
  answering(edge, 200, 'yes')
  const port = Number(new URL(edge.serviceBus.url ?? '').port)
  const head = (lines: string) =>
    `POST /v1/rules/shop/orders HTTP/1.1\r\n${lines}Content-Length: 1\r\nConnection: close\r\n\r\nx`
  const raw = async (bytes: string) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(bytes)
    return (await edge.until(text(socket))).split('\r\n', 1)[0]
  }
  assert.match((await raw(head('Host: 127.0.0.1\r\n'))) ?? '', / 200 /)
  assert.match((await raw(head('Host: localhost:9060\r\nOrigin: http://panel.example\r\n'))) ?? '', / 200 /)
  for (const [lines, status] of [
    ['Host: evil.example\r\n', 421],
    ['Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n', 403],
    ['Host: 127.0.0.1\r\nOrigin: null\r\n', 403],
    ['Host: localhost\r\nOrigin: http://localhost\r\n', 403],
    ['Host: 127.0.0.1\r\nReferer: http://evil.example/page\r\n', 403],
    ['Host: 127.0.0.1\r\nSec-Fetch-Site: cross-site\r\n', 403],
  ] as const) {
    assert.match((await raw(head(lines))) ?? '', new RegExp(` ${status} `), lines)
  }
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE']) {
    const line = `${method} /v1/rules/shop/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`
    assert.match((await raw(line)) ?? '', / 405 /)
  }
  assert.equal(edge.calls().length, 2)
  await edge.stop()
})

test('who may call what is as on MQTT', async () => {
  const folder = temporaryFolder('servicebus-')
  const passwordFile = join(folder, 'passwords')
  await writeFile(passwordFile, `${passwordLine('till', await hashPassword(Buffer.from('secret')))}\n`, { mode: 0o600 })
  const clients = [
    { name: 'till', twins: [], access: 'read' as const, publish: ['servicebus/shop/orders'], subscribe: [] },
  ]
  const edge = await startCalling({ anonymous: 'read-only', passwordFile, clients })
  await edge.offer('orders', ORDERS)
  await edge.offer('other', 'http://shop.example/other')
  answering(edge, 200, 'yes')
  const call = (name: string, user?: string) =>
    edge.call(`/v1/rules/shop/${name}`, {
      method: 'POST',
      body: 'x',
      headers: user === undefined ? {} : { authorization: `Basic ${base64(user)}` },
    })
  const nobody = await call('orders')
  assert.deepEqual([nobody.status, nobody.headers.get('www-authenticate')?.slice(0, 5)], [401, 'Basic'])
  assert.equal((await call('orders', 'till:secret')).status, 200)
  assert.equal((await call('orders', 'till:wrong')).status, 401)
  const other = await call('other', 'till:secret')
  assert.deepEqual([other.status, JSON.parse(other.text).fields.topic], [403, 'servicebus/shop/other'])
  assert.deepEqual(JSON.parse((await edge.call('/v1/rules')).text), { items: [] })
  await edge.stop()
})

test('bodies, callers and heads are bounded', async () => {
  const edge = await startCalling({ maxConcurrent: 2 })
  await edge.offer('orders', ORDERS)
  const path = '/v1/rules/shop/orders'
  assert.equal((await edge.call(path, { method: 'POST', body: Buffer.alloc(5_000_001) })).status, 413)
  const before = edge.cloud.answers
  edge.cloud.answers = (frame) => (frame.route.source === 'servicebus' ? undefined : before(frame))
  const url = `${edge.serviceBus.url}${path}`
  const waiting = [1, 2].map(() => fetch(url, { method: 'POST', body: 'x' }))
  while (edge.calls().length < 2) await edge.until(new Promise((resolve) => setImmediate(resolve)))
  const third = await edge.call(path, { method: 'POST', body: 'x' })
  assert.deepEqual([third.status, third.headers.get('x-skerry-error')], [503, 'HUB_CALLS_BUSY'])
  await edge.advance(60_000)
  for (const each of waiting) assert.equal((await each).status, 504)
  await edge.stop()
})

test('curl calls the cloud', { skip: needs('curl') }, async () => {
  const edge = await startCalling()
  await edge.offer('orders', ORDERS)
  answering(edge, 200, 'made')
  const curl = run('curl', [
    '-s',
    '-d',
    JSON.stringify({ method: 'POST', targetURL: ORDERS, payload: 1 }),
    edge.serviceBus.url ?? '',
  ])
  assert.equal(JSON.parse((await edge.until(curl)).stdout).body, 'made')
  const raw = run('curl', [
    '-s',
    '-w',
    '%{http_code}',
    '--data-binary',
    'x',
    `${edge.serviceBus.url}/v1/rules/shop/orders`,
  ])
  assert.equal((await edge.until(raw)).stdout, 'made200')
  await edge.stop()
})
