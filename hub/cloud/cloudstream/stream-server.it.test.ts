import assert from 'node:assert/strict'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { connect as tlsConnect } from 'node:tls'
import { createMetrics } from '../../../platform/health/index.ts'
import { minutes, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { NODES, PODS } from '../kubernetes/index.ts'
import { type FakeKubelet, startStreamCloud } from '../testing/stream-cloud.ts'

/** Tells what it was asked, and echoes streams in capitals. */
const plainKubelet: FakeKubelet = {
  answer(request, response) {
    response.setHeader('x-node-says', ['one', 'two'])
    response.end(`${request.method} ${request.url} ${JSON.stringify(request.headers)}`)
  },
  upgrade(request, socket) {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n`)
    socket.write('X-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nhello ')
    socket.on('data', (chunk: Buffer) => socket.write(chunk.toString().toUpperCase()))
    socket.on('end', () => socket.end('bye'))
    socket.on('error', () => undefined)
  },
}

async function setup(t: TestContext, kubelet = plainKubelet, options: Parameters<typeof startStreamCloud>[1] = {}) {
  const cloud = await startStreamCloud(t, options)
  await cloud.kubernetes.create(PODS, 'shop', { metadata: { name: 'till-0' }, spec: { nodeName: 'gateway-1' } })
  await cloud.kubernetes.create(PODS, 'shop', { metadata: { name: 'nowhere' }, spec: {} })
  cloud.connect('gateway-1', kubelet)
  return cloud
}

/** Settles when the status of the Node has it. */
async function portOf({ nodes }: Awaited<ReturnType<typeof setup>>, name: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  using _following = nodes.onChange((now) => {
    const port: unknown = Object(now?.status)?.daemonEndpoints?.kubeletEndpoint?.Port
    if (now?.metadata.name === name && typeof port === 'number') resolve(port)
  })
  return await promise
}

test('H68: logs of a pod come from its node, with the query as it was and none of the caller’s credentials', async (t) => {
  const { ask } = await setup(t)
  const headers = { cookie: 'secret', 'x-remote-user': 'root', accept: 'text/plain' }
  const got = await ask('/containerLogs/shop/till-0/main?follow=true&sinceTime=a%3Ab', { token: 'root', headers })
  assert.equal(got.status, 200)
  assert.ok(got.text.startsWith('GET /containerLogs/shop/till-0/main?follow=true&sinceTime=a%3Ab '))
  assert.deepEqual(JSON.parse(got.text.slice(got.text.indexOf('{'))), {
    host: 'gateway-1',
    accept: 'text/plain',
    connection: 'close',
  })
  assert.equal(got.headers['x-node-says'], 'one, two')
})

test('callers are known by client certificate or token, and may do what the API lets them', async (t) => {
  const { ask, client } = await setup(t)
  const path = '/containerLogs/shop/till-0/main'
  assert.equal((await ask(path, {}, await client('root'))).status, 200)
  const nobody = await ask(path)
  assert.deepEqual([nobody.status, nobody.text, nobody.headers.connection], [401, 'Unauthorized', 'close'])
  assert.equal((await ask('/no/such/path')).status, 401)
  assert.equal((await ask(path, { token: 'stranger' })).status, 401)
  const refused = await ask(path, { token: 'scraper' })
  assert.equal(refused.status, 403)
  assert.equal(refused.text, 'Forbidden (user=scraper, verb=get, resource=nodes, subresource(s)=[proxy])\n')
  const unknown = { serverName: 'gateway-1', headers: { host: 'gateway-1' } }
  assert.equal((await ask('/pods', { token: 'root', ...unknown })).status, 404, 'there is no such Node')
  assert.equal((await ask('/pods', { token: 'nobody', ...unknown })).status, 403)
})

test('an API that does not answer lets nobody in', async (t) => {
  const { ask, kubernetes } = await setup(t)
  const path = '/containerLogs/shop/till-0/main'
  kubernetes.fail('tokenreviews', 503)
  assert.equal((await ask(path, { token: 'root' })).status, 503)
  kubernetes.fail('GET pods', 503)
  assert.equal((await ask(path, { token: 'root' })).status, 500)
  kubernetes.fail('subjectaccessreviews', 500)
  const got = await ask(path, { token: 'root' })
  assert.equal(got.status, 500)
  assert.equal(got.text, 'Authorization error (user=root, verb=get, resource=nodes, subresource=proxy)')
  assert.equal((await ask(path, { token: 'root' })).status, 200)
})

test('a pod that is not there is not there in a kubelet’s words, and a node without a tunnel is told by name', async (t) => {
  const { ask, tunnels } = await setup(t)
  const asked = { token: 'root' }
  for (const pod of ['unknown', 'nowhere']) {
    const got = await ask(`/containerLogs/shop/${pod}/main`, asked)
    assert.deepEqual([got.status, got.text], [404, `pod "${pod}" does not exist`])
  }
  const exec = await ask('/exec/shop/unknown/main', { ...asked, method: 'POST' })
  assert.deepEqual([exec.status, exec.text], [404, 'pod does not exist'])
  tunnels.disconnect('gateway-1')
  const away = await ask('/containerLogs/shop/till-0/main', asked)
  assert.equal(away.status, 500, 'of a 503, kubectl logs shows no words')
  assert.match(away.text, /node gateway-1 has no tunnel/)
  const stream = await ask('/exec/shop/till-0/main', {
    ...asked,
    method: 'POST',
    headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' },
  })
  assert.equal(stream.status, 503)
  assert.match(stream.text, /node gateway-1 has no tunnel/)
  assert.doesNotMatch(stream.text, /: /, 'kubectl would read it as a Status without words')
})

test('H69: a stream is carried both ways as it is, and each side’s end is the other’s', async (t) => {
  const { upgrade, tunnels } = await setup(t)
  const asked = { headers: { 'x-stream-protocol-version': 'v4.channel.k8s.io' } }
  const { answer, stream, first } = await upgrade('/exec/shop/till-0/main?command=cat&stdin=true', asked)
  assert.equal(answer.statusCode, 101)
  assert.equal(answer.headers.upgrade, 'SPDY/3.1')
  assert.equal(answer.headers['x-stream-protocol-version'], 'v4.channel.k8s.io')
  stream.unshift(first)
  stream.write('abc ')
  stream.end('def ')
  assert.equal(await text(stream), 'hello ABC DEF bye')
  assert.equal(tunnels.opened.length, 1)
})

test('what a caller sends right behind the head of an upgrade reaches the node', async (t) => {
  const { server, ca } = await setup(t)
  const socket = tlsConnect({ port: server.port, host: '127.0.0.1', ca, servername: 'localhost' })
  const head = 'POST /attach/shop/till-0/main HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer root\r\n'
  socket.end(`${head}Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\nearly `)
  assert.match(await text(socket), /^HTTP\/1\.1 101 .*\r\n\r\nhello EARLY bye$/s)
})

test('a node that refuses an upgrade is heard, and a caller who wants none is told to', async (t) => {
  const { open, ask } = await setup(t, {
    ...plainKubelet,
    upgrade: (_request, socket) => socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nno shell\n'),
  })
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }
  const refused = await open('/exec/shop/till-0/main', { method: 'POST', token: 'root', headers })
  assert.deepEqual([refused.statusCode, await text(refused)], [404, 'no shell\n'])
  const plain = await ask('/exec/shop/till-0/main', { method: 'POST', token: 'root' })
  assert.deepEqual([plain.status, plain.text], [400, 'Upgrade request required'])
  const forbidden = await open('/exec/shop/till-0/main', { method: 'POST', token: 'scraper', headers })
  assert.equal(forbidden.statusCode, 403)
})

test('an answer that is none in HTTP is no answer, whether or not an upgrade was asked for', async (t) => {
  const { ask, open, tunnels } = await setup(t, {
    answer: (_request, response) => void response.socket?.write('HTTP/1.1 042 What\r\nContent-Length: 9\r\n\r\n'),
    upgrade: (_request, socket) => void socket.write('HTTP/1.1 042 What\r\nContent-Length: 9\r\n\r\n'),
  })
  assert.equal((await ask('/containerLogs/shop/till-0/main', { token: 'root' })).status, 502)
  const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1' }
  const stream = await open('/exec/shop/till-0/main', { method: 'POST', token: 'root', headers })
  assert.equal(stream.statusCode, 502)
  assert.deepEqual(
    tunnels.opened.map(({ cloud }) => cloud.destroyed),
    [true, true],
  )
})

test('whoever may ask no node is not told which pods there are', async (t) => {
  const { ask } = await setup(t)
  for (const pod of ['till-0', 'unknown', 'nowhere']) {
    const { status } = await ask(`/containerLogs/shop/${pod}/main`, { token: 'scraper' })
    assert.equal(status, 403, pod)
  }
})

test('logs that are followed begin at once, and a caller who leaves ends the stream at the node', async (t) => {
  const left = Promise.withResolvers<void>()
  const { open, tunnels } = await setup(t, {
    answer(request, response) {
      request.socket.once('close', () => left.resolve())
      response.flushHeaders()
    },
  })
  const response = await open('/containerLogs/shop/till-0/main?follow=true', { token: 'root' })
  assert.equal(response.statusCode, 200)
  response.destroy()
  await left.promise
  assert.equal(tunnels.opened[0]?.cloud.destroyed, true)
})

test('a node that breaks off is no end of logs', async (t) => {
  const { open } = await setup(t, {
    answer(_request, response) {
      response.write('half a line')
      setImmediate(() => response.destroy())
    },
  })
  const response = await open('/containerLogs/shop/till-0/main', { token: 'root' })
  await assert.rejects(text(response), { code: 'ECONNRESET' })
})

test('a caller who does not read holds the node up, and nothing piles up in between', async (t) => {
  const chunk = Buffer.alloc(64 * 1024)
  let written = 0
  const stalled = Promise.withResolvers<void>()
  const { open, tunnels } = await setup(t, {
    answer(_request, response) {
      const more = () => {
        while (response.write(chunk)) written += chunk.length
        stalled.resolve()
      }
      response.on('drain', more).on('error', () => undefined)
      more()
    },
  })
  const response = await open('/containerLogs/shop/till-0/main', { token: 'root' })
  response.pause()
  await stalled.promise
  let before = -1
  while (before !== written) {
    before = written
    for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate)
  }
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes are on their way`)
  assert.equal(tunnels.opened[0]?.cloud.destroyed, false)
  response.destroy()
})

test('what lasts ends within two minutes when nobody knows the token of its caller any more', async (t) => {
  const clock = new FakeClock(systemClock.now())
  const { open, upgrade, kubernetes } = await setup(
    t,
    { ...plainKubelet, answer: (_request, response) => response.flushHeaders() },
    { clock },
  )
  const log = await open('/containerLogs/shop/till-0/main?follow=true', { token: 'root' })
  const { stream } = await upgrade('/exec/shop/till-0/main?command=cat&stdin=true')
  const closed = [log, stream].map((each) => {
    each.on('error', () => undefined).resume()
    return new Promise<void>((resolve) => each.once('close', resolve))
  })
  // While the API is away nobody can tell, and streams go on.
  kubernetes.fail('tokenreviews', 503, 4)
  await clock.advance(minutes(2))
  assert.deepEqual([log.closed, stream.closed], [false, false])
  kubernetes.answerReview = () => ({ authenticated: false })
  await clock.advance(minutes(2))
  await Promise.all(closed)
})

test('a caller has so many streams at a time, and another has his own; metrics tell how many there are', async (t) => {
  const metrics = createMetrics()
  const { open, ask } = await setup(
    t,
    { answer: (_request, response) => response.flushHeaders() },
    { perCaller: 2, altogether: 3, metrics },
  )
  const follow = (token: string) => open('/containerLogs/shop/till-0/main?follow=true', { token })
  const [first] = [await follow('root'), await follow('root')]
  const third = await ask('/containerLogs/shop/till-0/main', { token: 'root' })
  assert.equal(third.status, 429)
  assert.match(await metrics.text(), /^skerry_stream_open 2$/m)
  first.destroy()
  await once(first, 'close')
  let status: number | undefined = 429
  while (status === 429) status = (await follow('root')).statusCode
  assert.equal(status, 200)
})

test('a long command is taken, and a head without end is not', async (t) => {
  const { upgrade, open } = await setup(t)
  const { stream } = await upgrade(`/exec/shop/till-0/main?command=${'x'.repeat(40_000)}`)
  stream.destroy()
  const asked = open('/metrics', { token: 'root', headers: { 'x-long': 'x'.repeat(200_000) } })
  // The connection may end before its last byte is written.
  assert.ok(
    [431, 'gone'].includes(
      await asked.then(
        ({ statusCode = 0 }) => statusCode,
        () => 'gone' as const,
      ),
    ),
  )
})

test('while its tunnel is open a node has a port of its own in its status, which leads to its kubelet alone', async (t) => {
  const cloud = await setup(t)
  const { kubernetes, ask, tunnels } = cloud
  const own = [
    { type: 'InternalIP', address: '192.0.2.7' },
    { type: 'Hostname', address: 'gw' },
  ]
  for (const name of ['gateway-1', 'gateway-2']) {
    await kubernetes.create(NODES, undefined, { metadata: { name } })
    await kubernetes.patch(NODES, { name }, { status: { addresses: own } }, { type: 'merge', subresource: 'status' })
  }
  cloud.connect('gateway-2', { answer: (_request, response) => response.end('gateway-2 itself') })
  const ports = [await portOf(cloud, 'gateway-1'), await portOf(cloud, 'gateway-2')]
  assert.notEqual(ports[0], ports[1])
  const node = await kubernetes.get(NODES, { name: 'gateway-2' })
  assert.deepEqual(node?.status?.['addresses'], [{ type: 'InternalIP', address: '127.0.0.1' }])
  assert.equal(node?.metadata.annotations?.['skerry.dev/addresses'], 'InternalIP=192.0.2.7 Hostname=gw')
  const asked = { token: 'scraper', port: ports[1] ?? 0 }
  assert.equal((await ask('/metrics/resource', asked)).text, 'gateway-2 itself')
  assert.equal((await ask('/stats/summary', { ...asked, serverName: 'gateway-1' })).text, 'gateway-2 itself')
  assert.equal((await ask('/pods', asked)).status, 403)
  assert.match(
    (await ask('/metrics', { token: 'scraper', headers: { host: 'gateway-1:10003' } })).text,
    /^GET .metrics /,
  )
  assert.match((await ask('/metrics', { token: 'scraper', serverName: 'gateway-1' })).text, /^GET .metrics /)
  assert.equal((await ask('/metrics', { token: 'scraper' })).status, 404)
  tunnels.disconnect('gateway-2')
  assert.equal((await ask('/metrics', asked)).status, 503)
})
