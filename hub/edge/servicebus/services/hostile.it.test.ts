import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startRawService, startService } from '../testing/local-service.ts'
import { codeOf, endOf, serve, serviceAt } from '../testing/tunnel-bench.ts'
import { ask, call, sendRaw } from '../testing/tunnel-client.ts'

for (const [what, bytes, code] of [
  ['is no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n\r\n', 'HUB_SERVICE_ANSWER_MALFORMED'],
  [
    'has a length and chunks',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    'HUB_SERVICE_ANSWER_MALFORMED',
  ],
  [
    'has two lengths',
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!',
    'HUB_SERVICE_ANSWER_MALFORMED',
  ],
  ['has a header with no name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n', 'HUB_SERVICE_ANSWER_MALFORMED'],
  ['has a header that ends the line', 'HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n', 'HUB_SERVICE_ANSWER_MALFORMED'],
  [
    'has a flood of headers',
    `HTTP/1.1 200 OK\r\n${'x-flood: 1234567890\r\n'.repeat(10_000)}\r\n`,
    'HUB_SERVICE_ANSWER_MALFORMED',
  ],
  ['has a status beyond all', 'HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n', 'HUB_SERVICE_ANSWER_MALFORMED'],
  ['is a flood of 1xx', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(1000), 'HUB_SERVICE_ANSWER_MALFORMED'],
  [
    'changes the protocol',
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
    'HUB_SERVICE_ANSWER_MALFORMED',
  ],
  ['ends in its head', 'HTTP/1.1 200 OK\r\nx-a: b', 'HUB_SERVICE_CUT_OFF'],
] as const) {
  test(`an answer that ${what} is told as such`, async (t) => {
    const port = await startRawService(t, (socket) => void socket.end(bytes, 'latin1'))
    const answer = await call(serve(t, [serviceAt(port)]), `/${port}/`)
    assert.deepEqual([answer.status, codeOf(answer)], [502, code])
  })
}

for (const [what, body] of [
  ['has a chunk that is none', 'zz\r\nhello\r\n0\r\n\r\n'],
  ['ends within a chunk', '5\r\nhel'],
  ['has no last chunk', '5\r\nhello\r\n'],
  ['has a chunk size with too many digits', 'fffffffffffffffff\r\nhello\r\n'],
] as const) {
  test(`a chunked answer that ${what} does not look whole`, async (t) => {
    const port = await startRawService(
      t,
      (socket) => void socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}`, 'latin1'),
    )
    const response = await ask(serve(t, [serviceAt(port)]), `/${port}/`)
    assert.ok((await endOf(response)) === 'cut off' || response.statusCode === 502)
  })
}

for (const [what, bytes] of [
  [
    'a length and chunks',
    'POST /PORT/ HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /PORT/smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'two lengths',
    'POST /PORT/ HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nContent-Length: 40\r\n\r\nGET /PORT/smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'a coding that only looks chunked',
    'POST /PORT/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /PORT/smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'a blank before the colon',
    'POST /PORT/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET /PORT/smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'a folded line',
    'POST /PORT/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\nGET /PORT/smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  [
    'a line that ends without its return',
    'POST /PORT/ HTTP/1.1\nHost: a\nContent-Length: 0\n\nGET /PORT/smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  ],
  ['a length that is none', 'POST /PORT/ HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nabcd'],
  ['a head without end', `GET /PORT/ HTTP/1.1\r\nHost: a\r\n${'x-flood: 1234567890\r\n'.repeat(10_000)}\r\n`],
  ['a null in a header', 'GET /PORT/ HTTP/1.1\r\nHost: a\r\nx: a\0b\r\n\r\n'],
  ['another protocol', 'GET /PORT/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
  ['a tunnel of its own', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['an address of its own', 'GET http://127.0.0.1:22/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'],
] as const) {
  test(`a request with ${what} reaches no service`, async (t) => {
    const seen: string[] = []
    const port = await startService(t, (request, response) => {
      seen.push(request.url ?? '')
      request.resume()
      response.end('inside')
    })
    const answer = await sendRaw(serve(t, [serviceAt(port)]), bytes.replaceAll('PORT', String(port)))
    assert.match(answer, /^HTTP\/1\.1 (4|5)\d\d /)
    assert.ok(!answer.includes('inside'))
    assert.deepEqual(seen, [])
  })
}
