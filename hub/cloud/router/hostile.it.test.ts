import assert from 'node:assert/strict'
import { createServer, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { Duplex, Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Tunnels } from '../../tunnel/index.ts'
import { rule } from './testing/rules.ts'
import { startRouter } from './testing/start-router.ts'

const MIB = 1024 * 1024
const lights = rule('rest->eventbus', { path: '/lights' }, { topic: 'lights/cmd' })
const files = (annotations = {}) =>
  rule('rest->servicebus', { path: 'files' }, { path: '/files' }, { name: 'files', annotations })

/** Two ends of one stream, each with the back-pressure of the other. */
function streamPair(): readonly [Duplex, Duplex] {
  const ends: Duplex[] = []
  const end = (at: 0 | 1) => {
    let resume: (() => void) | undefined
    const duplex = new Duplex({
      allowHalfOpen: true,
      read: () => resume?.(),
      write(chunk: Buffer, _encoding, done) {
        const other = ends[1 - at]
        if (!other || other.destroyed) return done(new UnavailableError('gone', { code: 'HUB_TUNNEL_CLOSED' }))
        if (other.push(chunk)) return done()
        Reflect.set(other, 'onRead', done)
      },
      final(done) {
        ends[1 - at]?.push(null)
        done()
      },
      destroy(error, done) {
        queueMicrotask(() => ends[1 - at]?.destroy(error ?? undefined))
        done(error)
      },
    })
    resume = () => {
      const done: unknown = Reflect.get(duplex, 'onRead')
      Reflect.set(duplex, 'onRead', undefined)
      if (typeof done === 'function') done()
    }
    return duplex
  }
  ends.push(end(0), end(1))
  const [one, other] = ends
  assert.ok(one && other)
  return [one, other]
}

/** A node's ServiceBus as an HTTP server at the other end of each stream. */
function serviceTunnels(t: TestContext, handler: Parameters<typeof createServer>[1]) {
  const server = createServer(handler)
  const open: Duplex[] = []
  t.after(() => server.close())
  const tunnels: Tunnels = {
    isOpen: (node) => node === 'edge-1',
    peer: () => 'skerry',
    open: async () => {
      const [near, far] = streamPair()
      open.push(near)
      server.emit('connection', far)
      return near
    },
    onNode: () => ({ [Symbol.dispose]: () => undefined }),
  }
  return { tunnels, open }
}

function send(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text))
    let got = ''
    socket.on('data', (chunk) => {
      got += chunk.toString()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(got))
  })
}

test('a hundred megabytes go through to a service and back, and the answer begins long before the body has ended', async (t) => {
  const { tunnels } = serviceTunnels(t, (request, response) => {
    assert.equal(request.url, '/8080/files/a%20b?c=1')
    response.writeHead(200, { 'x-length': String(request.headers['content-length']) })
    request.pipe(response)
  })
  const router = await startRouter(t, [files({ 'skerry.dev/max-body-bytes': String(200 * MIB) })], { tunnels })
  router.edge('edge-1', () => undefined)
  const chunk = Buffer.alloc(64 * 1024, 7)
  const total = 100 * MIB
  let left = total
  let leftAtFirst = 0
  const got = await new Promise<{ bytes: number; status: number | undefined }>((resolve, reject) => {
    const headers = { authorization: 'Bearer ann', 'content-length': total }
    const path = '/edge-1/shop/files/a%20b?c=1'
    const call = httpRequest(
      { host: '127.0.0.1', port: router.router.port, path, method: 'POST', headers, agent: false },
      (answer) => {
        let bytes = 0
        leftAtFirst = left
        answer.on('data', (each: Buffer) => {
          bytes += each.length
        })
        answer.on('end', () => resolve({ bytes, status: answer.statusCode }))
        answer.on('error', reject)
      },
    )
    call.on('error', reject)
    new Readable({
      read() {
        left -= chunk.length
        this.push(left >= 0 ? chunk : null)
      },
    }).pipe(call)
  })
  assert.deepEqual(got, { bytes: total, status: 200 })
  assert.ok(leftAtFirst > total / 2, `${leftAtFirst} bytes were left when the answer began`)
})

test('a body larger than the rule allows is cut off with 413, whether it says its length or not', async (t) => {
  const { tunnels } = serviceTunnels(t, (request) => void request.resume())
  const router = await startRouter(t, [lights, files({ 'skerry.dev/max-body-bytes': '1000' })], { tunnels })
  router.edge('edge-1', () => ({ content: 'OK' }))
  const { port } = router.router
  const head = (path: string, how: string) =>
    `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ann\r\n${how}\r\nConnection: close\r\n\r\n`
  assert.match(await send(port, head('/edge-1/shop/files', `Content-Length: ${100 * MIB}`)), /^HTTP\/1.1 413/)
  const chunks = `${(2000).toString(16)}\r\n${'x'.repeat(2000)}\r\n0\r\n\r\n`
  assert.match(await send(port, head('/edge-1/shop/files', 'Transfer-Encoding: chunked') + chunks), /^HTTP\/1.1 413/)
  assert.match(await send(port, head('/edge-1/shop/lights', `Content-Length: ${100 * MIB}`)), /^HTTP\/1.1 413/)
})

test('requests that two parsers could read in two ways are refused, and reach no node', async (t) => {
  const router = await startRouter(t, [lights])
  const edge = router.edge('edge-1', () => ({ content: 'OK' }))
  const auth = 'Host: a\r\nAuthorization: Bearer ann\r\n'
  const post = (headers: string, body: string) =>
    send(router.router.port, `POST /edge-1/shop/lights HTTP/1.1\r\n${auth}${headers}\r\n\r\n${body}`)
  assert.match(await post('Content-Length: 5\r\nTransfer-Encoding: chunked', '0\r\n\r\nGET /'), /^HTTP\/1.1 400/)
  assert.match(await post('Content-Length: 1\r\nContent-Length: 2', 'ab'), /^HTTP\/1.1 400/)
  assert.match(await post('Transfer-Encoding: chunked', 'zz\r\nab\r\n0\r\n\r\n'), /^(HTTP\/1.1 400|$)/)
  assert.match(await post('Transfer-Encoding : chunked', '0\r\n\r\n'), /^HTTP\/1.1 400/)
  assert.match(await post('Transfer-Encoding: gzip, chunked\r\nConnection: close', '0\r\n\r\n'), /^HTTP\/1.1 501/)
  assert.match(await post('Authorization: Bearer bob\r\nConnection: close', ''), /^HTTP\/1.1 400/)
  const many = Array.from({ length: 150 }, (_, at) => `x-${at}: 1`).join('\r\n')
  assert.match(await post(`${many}\r\nConnection: close`, ''), /^HTTP\/1.1 431/)
  assert.match(await post(`x-large: ${'a'.repeat(20_000)}`, ''), /^HTTP\/1.1 431/)
  assert.equal(edge.received.filter(({ route }) => route.operation === 'publish').length, 0)
})

test('a service that breaks off, and a node that leaves in the middle, break the answer off', async (t) => {
  const { tunnels } = serviceTunnels(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half', () => setImmediate(() => response.destroy()))
  })
  const router = await startRouter(t, [files()], { tunnels })
  router.edge('edge-1', () => undefined)
  await assert.rejects(router.call('/edge-1/shop/files'))
})

test('a node whose tunnel ends before it has answered is told of at once', async (t) => {
  const { tunnels, open } = serviceTunnels(t, () => open[0]?.destroy())
  const router = await startRouter(t, [files()], { tunnels })
  router.edge('edge-1', () => undefined)
  const answer = await router.call('/edge-1/shop/files')
  assert.deepEqual([answer.status, answer.headers['x-skerry-error']], [502, 'HUB_TUNNEL_CLOSED'])
})

test('a refusal of the node is told as it is, and stands with its code in the status; a slash at the end reaches the service', async (t) => {
  const paths: (string | undefined)[] = []
  const { tunnels } = serviceTunnels(t, (request, response) => {
    paths.push(request.url)
    response.writeHead(403, { 'x-skerry-error': 'HUB_SERVICE_NOT_ALLOWED' })
    response.end('no')
  })
  const router = await startRouter(t, [files()], { tunnels })
  router.edge('edge-1', () => undefined)
  const answer = await router.call('/edge-1/shop/files/a/?b')
  assert.deepEqual(
    [answer.status, answer.headers['x-skerry-error'], answer.body.toString()],
    [403, 'HUB_SERVICE_NOT_ALLOWED', 'no'],
  )
  await router.call('/edge-1/shop/files/')
  assert.deepEqual(paths, ['/8080/files/a/?b', '/8080/files/'])
  await router.stop()
  const status = (await router.rule('files'))?.status
  assert.equal(status?.['failMessages'], 2)
  assert.match(JSON.stringify(status?.['errors']), /node edge-1: HUB_SERVICE_NOT_ALLOWED/)
})
