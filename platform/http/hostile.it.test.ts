import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { type TestContext, test } from 'node:test'
import { testAuthority, testIdentity } from '../certificates/testing/index.ts'
import { createMetrics } from '../health/index.ts'
import { memoryLogger } from '../log/testing/index.ts'
import { minutes, ms } from '../time/index.ts'
import { ForwardClock } from '../time/testing/index.ts'
import {
  countRefusals,
  type HttpHandler,
  readBody,
  type ServeHttpOptions,
  sendJson,
  serveHttp,
  serveHttps,
} from './index.ts'
import { attackWith, dial, dialTls, head, heard, standAttacks, standSlowPeers, type Target } from './testing/index.ts'

const HOST = '127.0.0.1'
const REQUEST = { method: 'POST', path: '/echo' }

const echo: HttpHandler = async (request, response, signal) => {
  const body = await readBody(request, 1000, signal)
  sendJson(response, request.url === '/echo' ? 200 : 404, body.length)
}

async function serve(t: TestContext, options: Partial<ServeHttpOptions> = {}) {
  const metrics = createMetrics()
  const server = await serveHttp({
    ...{ at: { host: HOST, port: 0 }, log: memoryLogger(), handler: echo },
    ...{ onRefused: countRefusals(metrics, 'echo'), ...options },
  })
  t.after(() => server.close(ms(0)))
  const target: Target = {
    connect: () => dial({ host: HOST, port: server.port }),
    request: REQUEST,
    serves: async () => assert.equal((await fetch(`${server.url}/echo`, { method: 'POST', body: 'ok' })).status, 200),
  }
  const refused = async (cause: string) => {
    const found = new RegExp(`refused_total\\{server="echo",cause="${cause}"\\} (\\d+)`).exec(await metrics.text())
    return Number(found?.[1] ?? 0)
  }
  return { server, target, refused }
}

test('requests that are none are refused and counted, and cost others nothing', async (t) => {
  const { target, refused } = await serve(t)
  await standAttacks(target)
  for (const cause of ['malformed', 'long', 'doubtful']) assert.ok((await refused(cause)) > 0, cause)
})

test('who is slow is told so, and goes', async (t) => {
  const clock = new ForwardClock()
  const { target, refused } = await serve(t, { clock })
  await standSlowPeers(target, { clock, body: minutes(1) })
  assert.equal(await refused('slow'), 6)
})

test('a connection that was used has a time for its next request', async (t) => {
  const clock = new ForwardClock()
  const { target } = await serve(t, { clock })
  const socket = await target.connect()
  const ended = heard(socket)
  socket.write(`${head(REQUEST, 'Content-Length: 2')}ok`)
  while (socket.bytesRead === 0) await once(socket, 'data')
  socket.write('POST /echo HTTP/1.1\r\n')
  await target.serves()
  await clock.advance(ms(25_000))
  assert.deepEqual((await ended).statuses, [200, 408])
})

test('permission to send a body is given where it is read', async (t) => {
  const { server } = await serve(t)
  const headers = { expect: '100-continue', 'content-length': 4 }
  const call = httpRequest(`${server.url}/echo`, { method: 'POST', headers, agent: false })
  call.flushHeaders()
  await once(call, 'continue')
  call.end('good')
  const [answer]: IncomingMessage[] = await once(call, 'response')
  assert.equal(answer?.statusCode, 200)
  answer?.resume()
})

test('an answer before the body ends the connection, and what follows is not taken for a request', async (t) => {
  let taken = 0
  const { target } = await serve(t, {
    handler: (_request, response) => {
      taken++
      sendJson(response, 401, 'no')
    },
  })
  const { statuses, text } = await attackWith(target, [
    head(REQUEST, 'Content-Length: 9'),
    head(REQUEST),
    head(REQUEST),
  ])
  assert.deepEqual([statuses, taken], [[401], 1])
  assert.match(text, /connection: close/i)
})

test('requests behind each other are answered in their order, those before nonsense too', async (t) => {
  const go = Promise.withResolvers<void>()
  const { target } = await serve(t, {
    handler: async (request, response) => {
      if (request.url === '/echo') await go.promise
      sendJson(response, 200, request.url)
    },
  })
  const attack = attackWith(target, [head({ method: 'GET', path: '/echo' }), head({ method: 'GET', path: '/b' }), '\0'])
  setImmediate(() => go.resolve())
  const { statuses, text } = await attack
  assert.deepEqual(statuses, [200, 200])
  assert.ok(text.indexOf('"/echo"') < text.indexOf('"/b"'))
})

test('who does not read an answer loses it and his place', async (t) => {
  const { target, refused } = await serve(t, {
    readWithin: ms(200),
    handler: (_request, response) => void response.end(Buffer.alloc(16 << 20)),
  })
  const socket = await target.connect()
  socket.pause().write(head({ method: 'GET', path: '/' }))
  while ((await refused('unread')) === 0) await new Promise((resolve) => setImmediate(resolve))
  socket.destroy()
})

test('connections beyond the bound are closed and counted, and places are free again when others leave', async (t) => {
  const { server, target, refused } = await serve(t, { maxConnections: 3 })
  const open = [await target.connect(), await target.connect(), await target.connect()]
  const fourth = await target.connect()
  assert.deepEqual(await heard(fourth), { statuses: [], text: '' })
  assert.equal(await refused('full'), 1)
  for (const socket of open) socket.destroy()
  while ((await connectionsOf(server.server)) > 0) await new Promise((resolve) => setImmediate(resolve))
  await target.serves()
})

test('TLS: a handshake that does not end, HTTP without it, old versions, HTTP/2 and renegotiation lead nowhere', async (t) => {
  const { key, cert } = await testIdentity(await testAuthority({ commonName: 'ca' }), { commonName: 'a' }, [
    'serverAuth',
  ])
  const causes: string[] = []
  const serveTls = async (limits: Partial<ServeHttpOptions> = {}) => {
    const server = await serveHttps({
      ...{ at: { host: HOST, port: 0 }, log: memoryLogger(), handler: echo, tls: { key, cert }, ...limits },
      onRefused: (cause) => causes.push(cause),
    })
    t.after(() => server.close(ms(0)))
    return server.port
  }
  // Handshakes are timed by Node.js: those that have to come about are made where there is time for them.
  const [port, hurried] = [await serveTls(), await serveTls({ headWithin: ms(300) })]
  const hello = Buffer.from('1603010200010001fc0303', 'hex')
  for (const [at, bytes] of [
    [hurried, hello],
    [port, head(REQUEST)],
  ] as const) {
    const connect = () => dial({ host: HOST, port: at })
    assert.deepEqual((await attackWith({ connect }, [bytes])).statuses, [])
  }
  await assert.rejects(dialTls(port, { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }))
  await assert.rejects(dialTls(port, { ALPNProtocols: ['h2'] }))
  assert.ok(causes.length >= 4 && causes.every((cause) => cause === 'handshake'), String(causes))
  const socket = await dialTls(port, { maxVersion: 'TLSv1.2' })
  const renegotiated = Promise.withResolvers<Error | null>()
  socket.on('error', (error) => renegotiated.resolve(error))
  socket.renegotiate({}, (error) => renegotiated.resolve(error))
  assert.ok(await renegotiated.promise)
  socket.destroy()
})

test('requests over TLS that are none are refused like others', async (t) => {
  const { key, cert } = await testIdentity(await testAuthority({ commonName: 'ca' }), { commonName: 'a' }, [
    'serverAuth',
  ])
  const clock = new ForwardClock()
  const server = await serveHttps({
    ...{ at: { host: HOST, port: 0 }, log: memoryLogger(), handler: echo, tls: { key, cert }, clock },
  })
  t.after(() => server.close(ms(0)))
  const connect = () => dialTls(server.port)
  const serves = async () => {
    const text = [`${head(REQUEST, 'Content-Length: 2', 'Connection: close')}ok`]
    assert.deepEqual((await attackWith({ connect }, text)).statuses, [200])
  }
  await standAttacks({ connect, request: REQUEST, serves })
  await standSlowPeers({ connect, request: REQUEST, serves }, { clock, body: minutes(1) })
})

function connectionsOf(server: { getConnections(callback: (error: Error | null, count: number) => void): unknown }) {
  return new Promise<number>((resolve) => server.getConnections((_error, count) => resolve(count)))
}
