import assert from 'node:assert/strict'
import { once } from 'node:events'
import { get, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { createAuthority } from '../certificates/issuing/index.ts'
import { memoryLogger } from '../log/testing/index.ts'
import { minutes, ms, seconds, systemClock } from '../time/index.ts'
import { type HttpHandler, readBody, type ServeHttpOptions, sendJson, serveHttp, serveHttps } from './index.ts'

test('answers, and a handler that rejects becomes a 500 with JSON and a line in the log', async (t) => {
  const { server, log } = await setup(t, async (request, response) => {
    if (request.url?.startsWith('/bad')) throw new Error('boom')
    sendJson(response, 200, { path: request.url })
  })
  const good = await fetch(`${server.url}/a`)
  assert.deepEqual([good.status, await good.json()], [200, { path: '/a' }])
  const bad = await fetch(`${server.url}/bad?secret=1`)
  assert.deepEqual([bad.status, await bad.json()], [500, { code: 'PLATFORM_INTERNAL', message: 'boom', fields: {} }])
  assert.deepEqual(
    log.lines.map(({ fields }) => fields['path']),
    ['/bad'],
  )
})

test('reads a body up to its bound, told or chunked, and answers 413 beyond', async (t) => {
  const { server } = await setup(t, async (request, response, signal) => {
    sendJson(response, 200, (await readBody(request, 10, signal)).toString())
  })
  const post = (body: string) => fetch(server.url, { method: 'POST', body })
  assert.equal(await (await post('0123456789')).json(), '0123456789')
  assert.equal((await post('0123456789a')).status, 413)
  const chunked = httpRequest(server.url, { method: 'POST', headers: { 'transfer-encoding': 'chunked' } })
  chunked.on('error', () => undefined)
  chunked.write('01234567')
  chunked.write('89ab')
  const response: IncomingMessage = (await once(chunked, 'response'))[0]
  assert.equal(response.statusCode, 413)
  assert.equal(response.headers.connection, 'close')
  chunked.destroy()
})

test('a client that leaves in the middle of its body ends the reading and aborts the signal', async (t) => {
  const ended = Promise.withResolvers<unknown>()
  const { server } = await setup(t, async (request, _response, signal) => {
    await readBody(request, 1000).catch((error: unknown) => ended.resolve({ error, aborted: signal.aborted }))
  })
  const socket = connect(server.port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf', () =>
    setImmediate(() => socket.destroy()),
  )
  const seen = await ended.promise
  assert.ok(typeof seen === 'object' && seen !== null && 'error' in seen)
  assert.ok(seen.error instanceof Error && 'code' in seen.error && seen.error.code === 'PLATFORM_BODY_CUT_OFF')
})

test('a head that never ends is cut off', async (t) => {
  const { server } = await setup(t, (_request, response) => sendJson(response, 200, 1), { headWithin: ms(300) })
  const socket = connect(server.port, '127.0.0.1')
  socket.write('GET / HTTP/1.1\r\nHost')
  assert.match(await text(socket), /^HTTP\/1\.1 408 /)
})

test('what a client says before its handshake may begin waits for it', async (t) => {
  const { certificatePem: cert, privateKeyPem: key } = await createAuthority({
    commonName: 'localhost',
    validity: minutes(5),
    clock: systemClock,
  })
  const admitted = Promise.withResolvers<() => void>()
  const server = await serveHttps({
    at: { host: '127.0.0.1', port: 0 },
    log: memoryLogger(),
    tls: { cert, key },
    admit: (_socket, begin) => admitted.resolve(begin),
    handler: (_request, response) => sendJson(response, 200, 'here'),
  })
  t.after(() => server.close(ms(0)))
  const socket = connectTls({ host: '127.0.0.1', port: server.port, rejectUnauthorized: false })
  const isOpen = once(socket, 'secureConnect').then(() => 'open')
  const begin = await admitted.promise
  const waited = Promise.withResolvers<string>()
  server.server.getConnections(() => setImmediate(() => waited.resolve('waits')))
  assert.equal(await Promise.race([isOpen, waited.promise]), 'waits')
  begin()
  await isOpen
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.match(await text(socket), /"here"/)
})

test('closing lets an answer finish and leaves idle connections no time', async (t) => {
  const asked = Promise.withResolvers<void>()
  const go = Promise.withResolvers<void>()
  const { server } = await setup(t, async (_request, response) => {
    asked.resolve()
    await go.promise
    sendJson(response, 200, 'done')
  })
  const idle = connect(server.port, '127.0.0.1')
  await once(idle, 'connect')
  const answer = fetch(server.url)
  await asked.promise
  const closing = server.close(seconds(10))
  go.resolve()
  assert.equal(await (await answer).json(), 'done')
  idle.destroy()
  await closing
  await assert.rejects(fetch(server.url))
})

test('closing cuts off at its deadline what does not end', async (t) => {
  const asked = Promise.withResolvers<AbortSignal>()
  const { server } = await setup(t, (_request, _response, signal) => asked.resolve(signal))
  const request = get(server.url)
  const failed = once(request, 'error')
  const signal = await asked.promise
  await server.close(ms(50))
  assert.ok(signal.aborted)
  await failed
})

test('a taken port is refused with its number', async (t) => {
  const { server } = await setup(t, () => undefined)
  const at = { host: '127.0.0.1', port: server.port }
  await assert.rejects(serveHttp({ at, log: memoryLogger(), handler: () => undefined }), {
    code: 'PLATFORM_PORT_TAKEN',
    message: new RegExp(`^Port ${server.port} on 127\\.0\\.0\\.1 is taken.*--ports auto\\)$`),
  })
})

test('one address has so many connections, and gets a place back', async (t) => {
  let refused = 0
  const ofAddress = { maxConnections: 2, onRefused: () => refused++ }
  const { server } = await setup(t, (_request, response) => sendJson(response, 200, 1), { ofAddress })
  const dial = async (localAddress: string) => {
    const socket = connect({ host: '127.0.0.1', port: server.port, localAddress })
    t.after(() => socket.destroy())
    socket.on('error', () => undefined)
    await once(socket, 'connect')
    return socket
  }
  const [first] = [await dial('127.0.0.2'), await dial('127.0.0.2')]
  assert.equal(await text(await dial('127.0.0.2')), '')
  assert.equal(refused, 1)
  const answerOf = async (localAddress: string) => {
    const socket = await dial(localAddress)
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
    return text(socket)
  }
  assert.match(await answerOf('127.0.0.3'), /^HTTP\/1\.1 200 /)
  first.destroy()
  while (!/^HTTP/.test(await answerOf('127.0.0.2'))) await new Promise(setImmediate)
})

async function setup(t: TestContext, handler: HttpHandler, options: Partial<ServeHttpOptions> = {}) {
  const log = memoryLogger()
  const server = await serveHttp({ at: { host: '127.0.0.1', port: 0 }, log, handler, ...options })
  t.after(() => server.close(ms(0)))
  return { server, log }
}
