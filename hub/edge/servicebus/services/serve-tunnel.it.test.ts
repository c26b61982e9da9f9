import assert from 'node:assert/strict'
import { once } from 'node:events'
import { buffer, text } from 'node:stream/consumers'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { seconds } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import { startRawService, startService } from '../testing/local-service.ts'
import { advanceUntil, codeOf, endOf, serve, serviceAt } from '../testing/tunnel-bench.ts'
import { ask, call, openStream } from '../testing/tunnel-client.ts'

test('method, path, query, headers and body reach the service, and its answer comes back as it is', async (t) => {
  const seen: unknown[] = []
  const port = await startService(t, async (request, response) => {
    const { method, url, headers } = request
    seen.push({ method, url, host: headers.host, kept: headers['x-kept'], type: headers['content-type'] })
    seen.push(await text(request))
    response.writeHead(
      418,
      'Short And Stout',
      [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Of', 'service'],
      ].flat(),
    )
    response.end(Buffer.from([0, 255, 128]))
  })
  const answer = await call(serve(t, [serviceAt(port)]), `/${port}/a/b?c=d%20e&f`, {
    method: 'PUT',
    headers: { 'x-kept': 'yes', 'content-type': 'text/plain', 'x-skerry-deadline-ms': '5000', host: 'cloud.example' },
    body: 'the body',
  })
  const expected = { method: 'PUT', url: '/a/b?c=d%20e&f', host: `127.0.0.1:${port}`, kept: 'yes', type: 'text/plain' }
  assert.deepEqual(seen, [expected, 'the body'])
  assert.equal(answer.status, 418)
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
  assert.equal(answer.headers['x-of'], 'service')
  assert.deepEqual([...answer.body], [0, 255, 128])
})

test('a redirect is an answer like others: nobody follows it', async (t) => {
  let calls = 0
  const port = await startService(t, (_request, response) => {
    calls++
    response.writeHead(302, { location: 'http://169.254.169.254/secrets' })
    response.end('over there')
  })
  const answer = await call(serve(t, [serviceAt(port)]), `/${port}/`)
  assert.deepEqual([answer.status, answer.headers.location], [302, 'http://169.254.169.254/secrets'])
  assert.deepEqual([calls, answer.body.toString()], [1, 'over there'])
})

test('headers of one hop go no further, whichever way, and nobody forges the words of ServiceBus', async (t) => {
  const seen: string[] = []
  const port = await startService(t, (request, response) => {
    seen.push(...request.rawHeaders.filter((_each, at) => at % 2 === 0).map((name) => name.toLowerCase()))
    response.writeHead(200, {
      connection: 'x-own',
      'x-own': '1',
      'x-skerry-error': 'FORGED',
      'proxy-authenticate': 'x',
    })
    response.end('x')
  })
  const answer = await call(serve(t, [serviceAt(port)]), `/${port}/`, {
    headers: {
      connection: 'x-mine',
      'x-mine': '1',
      te: 'trailers',
      'proxy-authorization': 'secret',
      'x-skerry-deadline-ms': '9' + '000',
    },
  })
  assert.deepEqual(seen.sort(), ['connection', 'host'])
  for (const name of ['x-own', 'x-skerry-error', 'proxy-authenticate']) assert.equal(answer.headers[name], undefined)
})

test('what is not allowed is refused with the line that would allow it', async (t) => {
  const port = await startService(t, (_request, response) => response.end('inside'))
  const server = serve(t, [serviceAt(port, { paths: ['/api/', '/one'], methods: ['GET'] })])
  const none = await call(server, '/1/x')
  assert.deepEqual([none.status, codeOf(none)], [403, 'HUB_SERVICE_NOT_ALLOWED'])
  assert.match(none.body.toString(), /add `- port: 1` to serviceBus\.services/)
  for (const path of ['/other', '/api', '/one/two', '/apiary']) {
    const refused = await call(server, `/${port}${path}`)
    assert.deepEqual([path, refused.status, codeOf(refused)], [path, 403, 'HUB_SERVICE_PATH_REFUSED'])
  }
  const post = await call(server, `/${port}/one`, { method: 'POST', body: 'x' })
  assert.deepEqual([post.status, codeOf(post)], [405, 'HUB_SERVICE_METHOD_REFUSED'])
  for (const path of ['/api/x', '/one', '/one?q=/../'])
    assert.equal((await call(server, `/${port}${path}`)).status, 200)
})

test('no spelling of a path leaves what is allowed', async (t) => {
  const port = await startService(t, (_request, response) => response.end('inside'))
  const server = serve(t, [serviceAt(port, { paths: ['/api/'] })])
  const tries = [
    '/api/../admin',
    '/api/%2e%2e/admin',
    '/api/%2E./admin',
    '/api/..%2fadmin',
    '/api/..\\admin',
    '/api/x/..%5Cy',
    '/api/./x',
    '/api/..',
  ]
  for (const path of tries) {
    const answer = await call(server, `/${port}${path}`)
    assert.deepEqual([path, answer.status, codeOf(answer)], [path, 400, 'HUB_SERVICE_REQUEST_MALFORMED'])
  }
  assert.equal((await call(server, '/api/x')).status, 400)
})

test('a service that is not there is told at once', async (t) => {
  const port = await startService(t, () => undefined)
  const free = await startRawService(t, (socket) => socket.destroy())
  const answer = await call(serve(t, [serviceAt(free), serviceAt(1)]), '/1/')
  assert.deepEqual([answer.status, codeOf(answer)], [502, 'HUB_SERVICE_UNREACHABLE'])
  const cut = await call(serve(t, [serviceAt(free)]), `/${free}/`)
  assert.deepEqual([cut.status, codeOf(cut)], [502, 'HUB_SERVICE_CUT_OFF'])
  assert.ok(port > 0)
})

test('a service that stays silent is given up after its time, or that of the caller', async (t) => {
  const asked = Promise.withResolvers<void>()
  const port = await startService(t, () => asked.resolve())
  const clock = new FakeClock()
  const server = serve(t, [serviceAt(port, { timeoutSeconds: 3 })], { clock })
  const waiting = call(server, `/${port}/`)
  await asked.promise
  await clock.advance(seconds(3))
  const answer = await waiting
  assert.deepEqual([answer.status, codeOf(answer)], [504, 'HUB_SERVICE_TIMEOUT'])
  const hurried = call(server, `/${port}/`, { headers: { 'x-skerry-deadline-ms': '500' } })
  await turn()
  await advanceUntil(hurried, clock, 600)
  assert.equal((await hurried).status, 504)
})

test('a slow drip within the head counts as silence', async (t) => {
  const port = await startRawService(t, (socket) => socket.write('HTTP/1.1 200 OK\r\nx-a: '))
  const clock = new FakeClock()
  const server = serve(t, [serviceAt(port, { timeoutSeconds: 3 })], { clock })
  const waiting = call(server, `/${port}/`)
  await advanceUntil(waiting, clock, 1000)
  assert.equal((await waiting).status, 504)
})

test('an answer streams as it is made, and one that breaks off does not look whole', async (t) => {
  const next = Promise.withResolvers<void>()
  const port = await startService(t, async (_request, response) => {
    response.write('first')
    await next.promise
    response.write('second', () => response.destroy())
  })
  const response = await ask(serve(t, [serviceAt(port)]), `/${port}/`)
  const [first] = await once(response, 'data')
  assert.equal(String(first), 'first')
  next.resolve()
  assert.equal(await endOf(response), 'cut off')
})

test('a body streams to the service while the answer streams back', async (t) => {
  const port = await startService(t, (request, response) => void request.pipe(response))
  const steps = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  async function* body() {
    yield Buffer.from('one')
    await steps[0]?.promise
    yield Buffer.from('two')
    await steps[1]?.promise
    yield Buffer.from('three')
  }
  const response = await ask(serve(t, [serviceAt(port)]), `/${port}/`, { method: 'POST', body: body() })
  const heard: string[] = []
  response.on('data', (chunk: Buffer) => {
    heard.push(chunk.toString())
    steps[heard.length - 1]?.resolve()
  })
  await once(response, 'end')
  assert.deepEqual(heard, ['one', 'two', 'three'])
})

test('answers and bodies beyond their bound are cut off, told or not', async (t) => {
  const limits = { maxAnswerBytes: 1000, maxRequestBytes: 1000 }
  let sent = 0
  const port = await startService(t, (request, response) => {
    if (request.method === 'POST') return void request.resume().on('end', () => response.end())
    if (request.url === '/told') return void response.writeHead(200, { 'content-length': 100_000_000 }).flushHeaders()
    const more = () => {
      while (!response.destroyed && sent < 100_000_000) {
        sent += 65_536
        if (!response.write(Buffer.alloc(65_536))) return void response.once('drain', more)
      }
    }
    more()
  })
  const server = serve(t, [serviceAt(port)], limits)
  const told = await call(server, `/${port}/told`)
  assert.deepEqual([told.status, codeOf(told)], [502, 'HUB_SERVICE_ANSWER_TOO_LARGE'])
  const endless = await ask(server, `/${port}/endless`)
  assert.equal(await endOf(endless), 'cut off')
  assert.ok(sent < 20_000_000, `${sent} bytes were taken`)
  const body = await call(server, `/${port}/`, { method: 'POST', body: Buffer.alloc(1001) })
  assert.deepEqual([body.status, codeOf(body)], [413, 'HUB_SERVICE_REQUEST_TOO_LARGE'])
  async function* chunks() {
    for (let count = 0; count < 3; count++) yield Buffer.alloc(500)
  }
  const chunked = await call(server, `/${port}/`, { method: 'POST', body: chunks() })
  assert.deepEqual([chunked.status, codeOf(chunked)], [413, 'HUB_SERVICE_REQUEST_TOO_LARGE'])
})

test('who does not read an answer stops the service, not the memory of the edge', async (t) => {
  let sent = 0
  const blocked = Promise.withResolvers<void>()
  const port = await startService(t, (_request, response) => {
    const more = () => {
      while (!response.destroyed && sent < 900_000) {
        sent += 10_000
        if (!response.write(Buffer.alloc(10_000))) {
          blocked.resolve()
          return void response.once('drain', more)
        }
      }
      response.end()
    }
    more()
  })
  const response = await ask(serve(t, [serviceAt(port)]), `/${port}/`)
  response.pause()
  await blocked.promise
  assert.equal((await buffer(response)).length, 900_000)
})

test('a head that never ends, and a connection without a request, cost a stream half a minute', async (t) => {
  const clock = new FakeClock()
  const server = serve(t, [], { clock })
  const slow = openStream(server)
  slow.write('GET /1/ HTTP/1.1\r\nHost: a\r\nx-slow: ')
  const idle = openStream(server)
  const closed = Promise.all([once(slow.resume(), 'end'), once(idle.resume(), 'end')])
  await clock.advance(seconds(30))
  await closed
})

test('a caller that stops within its body is told so, and the service is let go of', async (t) => {
  const left = Promise.withResolvers<void>()
  const port = await startService(t, (request) => void request.resume().on('close', () => left.resolve()))
  const clock = new FakeClock()
  const server = serve(t, [serviceAt(port, { timeoutSeconds: 2 })], { clock })
  const stalled = Promise.withResolvers<void>()
  async function* body() {
    yield Buffer.from('some')
    await stalled.promise
  }
  const waiting = call(server, `/${port}/`, { method: 'POST', body: body() })
  await advanceUntil(waiting, clock, 1000)
  const answer = await waiting
  assert.deepEqual([answer.status, codeOf(answer)], [408, 'HUB_SERVICE_CALLER_STALLED'])
  await left.promise
  stalled.resolve()
})

test('a caller that leaves ends the call of the service', async (t) => {
  const asked = Promise.withResolvers<void>()
  const left = Promise.withResolvers<void>()
  const port = await startService(t, (request) => {
    request.on('close', () => left.resolve())
    asked.resolve()
  })
  const stream = openStream(serve(t, [serviceAt(port)]))
  stream.write(`GET /${port}/ HTTP/1.1\r\nHost: a\r\n\r\n`)
  await asked.promise
  stream.destroy()
  await left.promise
})

test('a full service refuses at once, and does not shut out others', async (t) => {
  const held: (() => void)[] = []
  const full = Promise.withResolvers<void>()
  const slow = await startService(t, (_request, response) => {
    held.push(() => response.end('late'))
    if (held.length === 2) full.resolve()
  })
  const quick = await startService(t, (_request, response) => response.end('quick'))
  const services = [serviceAt(slow, { maxConcurrent: 2 }), serviceAt(quick)]
  const server = serve(t, services, { maxConcurrent: 2 })
  const waiting = [call(server, `/${slow}/`), call(server, `/${slow}/`)]
  await full.promise
  const refused = await call(server, `/${slow}/`)
  assert.deepEqual([refused.status, codeOf(refused)], [503, 'HUB_SERVICE_BUSY'])
  assert.equal((await call(server, `/${quick}/`)).body.toString(), 'quick')
  for (const release of held) release()
  assert.deepEqual(
    (await Promise.all(waiting)).map(({ status }) => status),
    [200, 200],
  )
  assert.equal((await call(server, `/${quick}/`)).status, 200)
})

test('a connection serves one call after the other, also after a refusal', async (t) => {
  const port = await startService(t, (request, response) => response.end(request.url))
  const stream = openStream(serve(t, [serviceAt(port)]))
  stream.write(`GET /1/ HTTP/1.1\r\nHost: a\r\n\r\n`)
  stream.write(`HEAD /${port}/two HTTP/1.1\r\nHost: a\r\n\r\n`)
  stream.write(`GET /${port}/three HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
  const answers = await text(stream)
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 403', 'HTTP/1.1 200', 'HTTP/1.1 200'])
  assert.match(answers, /\/three/)
})
