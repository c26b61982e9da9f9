import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingHttpHeaders } from 'node:http'
import { type TestContext, test } from 'node:test'
import { type Clock, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import {
  closedPort,
  healthServer,
  httpServer,
  httpsServer,
  type ProbedServer,
  rawServer,
} from '../testing/probed-servers.ts'
import { firstContainer, testPod } from '../testing/test-pod.ts'
import { type AskPorts, askContainer } from './ask.ts'
import type { Verdict } from './verdict.ts'

const runtime: AskPorts['runtime'] = { execSync: () => Promise.reject(new Error('no commands here')) }
const within = { timeout: 60_000 }
const never = new AbortController().signal

interface Asking {
  readonly clock?: Clock
  readonly signal?: AbortSignal
  readonly ports?: JsonObject[]
}

function ask(livenessProbe: JsonObject, { clock = systemClock, signal = never, ports = [] }: Asking = {}) {
  const container = firstContainer(testPod({ livenessProbe: { timeoutSeconds: 20, ...livenessProbe }, ports }))
  assert.ok(container.livenessProbe)
  const of = { container, containerId: 'c-1', podIp: '127.0.0.1' }
  return askContainer(container.livenessProbe, of, { runtime, clock }, signal)
}

/** The verdict of a probe that comes to its deadline after `until` has come true. */
async function askLate(probe: JsonObject, until: Promise<unknown>): Promise<Verdict> {
  const clock = new FakeClock()
  const verdict = ask({ timeoutSeconds: 3, ...probe }, { clock })
  await until
  await clock.advance({ milliseconds: 3000 })
  return verdict
}

async function use<T extends AsyncDisposable>(t: TestContext, server: Promise<T>): Promise<T> {
  const made = await server
  t.after(() => made[Symbol.asyncDispose]())
  return made
}

async function allClosed(server: ProbedServer): Promise<void> {
  while (server.open > 0) await new Promise((resolve) => setImmediate(resolve))
}

test('an answer by HTTP is judged by its status, and its body is nobody’s business', within, async (t) => {
  const server = await use(
    t,
    httpServer(({ url = '' }, answer) => void answer.writeHead(Number(url.slice(1))).end('secret')),
  )
  const of = (status: number) => ask({ httpGet: { path: `/${status}`, port: server.port } })
  for (const status of [200, 204, 299]) assert.deepEqual(await of(status), { result: 'success', text: '' })
  for (const status of [400, 404, 500, 503]) {
    assert.deepEqual(await of(status), { result: 'failure', text: `HTTP probe failed with statuscode: ${status}` })
  }
  const told = { result: 'warning', text: 'Probe terminated redirects, Response body: secret' }
  assert.deepEqual(await of(307), told)
  assert.deepEqual(await of(399), told)
  // No connection is used twice, and none stays.
  assert.equal(server.connections, 9)
  await allClosed(server)
})

test('a request has the path, the headers and the name of who asks', within, async (t) => {
  const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = []
  const server = await use(
    t,
    httpServer(({ url, headers }, answer) => {
      seen.push({ url, headers })
      answer.end()
    }),
  )
  const ports = [{ name: 'web', containerPort: server.port }]
  await ask({ httpGet: { path: 'a b/ü?q=1#top', port: 'web' } }, { ports })
  const httpHeaders = [
    { name: 'Host', value: 'till.shop' },
    { name: 'X-Key', value: '1' },
    { name: 'X-Key', value: '2' },
    { name: 'User-Agent', value: '' },
    { name: 'Content-Length', value: '5' },
  ]
  await ask({ httpGet: { path: '/../x', port: String(server.port), httpHeaders } })
  const [first, second] = seen
  assert.deepEqual(
    [first?.url, first?.headers.host, first?.headers.connection],
    ['/a%20b/%C3%BC?q=1', `127.0.0.1:${server.port}`, 'close'],
  )
  assert.match(first?.headers['user-agent'] ?? '', /^kube-probe\/1\.\d+$/)
  assert.deepEqual(
    [second?.url, second?.headers.host, second?.headers['x-key'], second?.headers['user-agent']],
    ['/../x', 'till.shop', '1, 2', undefined],
  )
  assert.equal(second?.headers['content-length'], undefined)
})

test(
  'redirects are followed on the same host, ten times at most, and to another host they are a success to tell of',
  within,
  async (t) => {
    const hosts: (string | undefined)[] = []
    const server = await use(
      t,
      httpServer(({ url = '', headers }, answer) => {
        hosts.push(headers.host)
        const location: Record<string, string> = {
          '/here': 'there?x=1',
          '/absolute': `http://127.0.0.1:${server.port}/there?x=1`,
          '/away': 'http://example.invalid/',
          '/loop': '/loop',
          '/odd': 'ftp://127.0.0.1/x',
          '/broken': 'http://[',
        }
        const to = location[url]
        if (to !== undefined) answer.writeHead(302, { location: to }).end('gone')
        else answer.writeHead(url === '/there?x=1' ? 200 : 404).end()
      }),
    )
    const httpHeaders = [{ name: 'Host', value: 'till.shop' }]
    const of = (path: string) => ask({ httpGet: { path, port: server.port, httpHeaders } })
    assert.equal((await of('/here')).result, 'success')
    assert.equal((await of('/absolute')).result, 'success')
    assert.deepEqual(hosts, ['till.shop', 'till.shop', 'till.shop', `127.0.0.1:${server.port}`])
    assert.deepEqual(await of('/away'), {
      result: 'warning',
      text: 'Probe terminated redirects, Response body: gone',
    })
    const get = `Get "http://127.0.0.1:${server.port}`
    assert.deepEqual(await of('/loop'), { result: 'failure', text: `${get}/loop": stopped after 10 redirects` })
    assert.equal(hosts.length, 15)
    assert.equal((await of('/odd')).text, `${get}/odd": unsupported protocol scheme "ftp"`)
    assert.equal((await of('/broken')).text, `${get}/broken": failed to parse Location header "http://["`)
  },
)

test('a certificate is not verified; plain HTTP at a port of HTTPS is told', within, async (t) => {
  const secure = await use(
    t,
    httpsServer((_, answer) => void answer.end()),
  )
  assert.equal((await ask({ httpGet: { port: secure.port, scheme: 'HTTPS' } })).result, 'success')
  const plain = await use(
    t,
    httpServer((_, answer) => void answer.end()),
  )
  const text = `Get "https://127.0.0.1:${plain.port}/": http: server gave HTTP response to HTTPS client`
  assert.deepEqual(await ask({ httpGet: { port: plain.port, scheme: 'HTTPS' } }), { result: 'failure', text })
})

test('who does not answer, is slow or says too much holds nobody up', within, async (t) => {
  const asked = new EventTarget()
  const heard = (socket: { once(event: 'data', then: () => void): void }, then: () => void = () => undefined) =>
    socket.once('data', () => {
      then()
      asked.dispatchEvent(new Event('asked'))
    })
  const silent = await use(t, rawServer(heard))
  const get = (port: number) => `Get "http://127.0.0.1:${port}/": `
  assert.deepEqual(await askLate({ httpGet: { port: silent.port } }, once(asked, 'asked')), {
    result: 'failure',
    text: `${get(silent.port)}context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
  })
  await allClosed(silent)
  const dripping = await use(
    t,
    rawServer((socket) => heard(socket, () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1'))),
  )
  const late = await ask({ httpGet: { port: dripping.port }, timeoutSeconds: 1 })
  assert.equal(late.result, 'failure')
  assert.match(late.text, /context deadline exceeded \(Client\.Timeout/)
  await allClosed(dripping)
  let sent = 0
  const endless = await use(
    t,
    httpServer((_, answer) => {
      const more = () => {
        while (!answer.destroyed && answer.write('x'.repeat(65_536))) sent++
      }
      answer.on('drain', more)
      more()
    }),
  )
  assert.deepEqual(await ask({ httpGet: { port: endless.port } }), { result: 'success', text: '' })
  await allClosed(endless)
  assert.ok(sent < 1000)
})

test('what is no HTTP, or breaks off, is a failure in Kubernetes’ words', within, async (t) => {
  const saying = async (text: string) => {
    const server = await use(
      t,
      rawServer((socket) => socket.once('data', () => socket.end(text))),
    )
    const { result, text: told } = await ask({ httpGet: { port: server.port } })
    return `${result} ${told.replace(/^.*?": /, '')}`
  }
  const malformed = 'failure net/http: HTTP/1.x transport connection broken: malformed HTTP response'
  assert.equal(await saying('220 mail.example ESMTP\r\n'), malformed)
  assert.equal(await saying('HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'), malformed)
  assert.equal(await saying(''), 'failure EOF')
  assert.equal(await saying('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n1'), 'failure EOF')
  assert.equal(
    await saying(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(300_000)}\r\n\r\n`),
    'failure net/http: server response headers exceeded the limit',
  )
  const port = await closedPort()
  const text = `Get "http://127.0.0.1:${port}/": dial tcp 127.0.0.1:${port}: connect: connection refused`
  assert.deepEqual(await ask({ httpGet: { port } }), { result: 'failure', text })
})

test(
  'a question that cannot be put counts for nothing, and one that is broken off ends with its signal',
  within,
  async (t) => {
    assert.deepEqual(await ask({ httpGet: { port: 'metrics' } }), {
      result: 'unknown',
      text: 'port metrics not found: no port of container app has that name',
    })
    const odd = await ask({ httpGet: { port: 80, httpHeaders: [{ name: 'a b', value: '' }] } })
    assert.equal(odd.result, 'unknown')
    const silent = await use(
      t,
      rawServer((socket) => socket.once('data', () => end.abort('the container is gone'))),
    )
    const end = new AbortController()
    const asked = ask({ httpGet: { port: silent.port } }, { signal: end.signal })
    await assert.rejects(asked, (reason) => reason === 'the container is gone')
    await allClosed(silent)
  },
)

test('a port that takes a connection is well, one that does not is not', within, async (t) => {
  const server = await use(
    t,
    rawServer(() => undefined),
  )
  const ports = [{ name: 'db', containerPort: server.port }]
  assert.equal((await ask({ tcpSocket: { port: 'db' } }, { ports })).result, 'success')
  await allClosed(server)
  const port = await closedPort()
  const text = `dial tcp 127.0.0.1:${port}: connect: connection refused`
  assert.deepEqual(await ask({ tcpSocket: { port } }), { result: 'failure', text })
})

test('a server of gRPC is asked for its health, and says whether it serves', within, async (t) => {
  const asked: string[] = []
  let status = 1
  const server = await healthServer(({ request }, answer) => {
    asked.push(request.subarray(2).toString())
    answer(null, Buffer.from([8, status]))
  })
  t.after(() => server[Symbol.dispose]())
  const grpc = { port: server.port, service: 'tills' }
  assert.deepEqual(await ask({ grpc }), { result: 'success', text: '' })
  status = 2
  assert.deepEqual(await ask({ grpc: { port: server.port } }), {
    result: 'failure',
    text: 'service unhealthy (responded with "NOT_SERVING")',
  })
  assert.deepEqual(asked, ['tills', ''])
})

test('a server of gRPC without health, one that is ill and one that is silent are told apart', within, async (t) => {
  const other = await healthServer(undefined)
  t.after(() => other[Symbol.dispose]())
  assert.match(
    (await ask({ grpc: { port: other.port } })).text,
    /^error: this server does not implement the grpc health protocol \(grpc\.health\.v1\.Health\): ./,
  )
  const ill = await healthServer((_, answer) => answer({ code: 5, details: 'unknown service' }))
  t.after(() => ill[Symbol.dispose]())
  assert.deepEqual(await ask({ grpc: { port: ill.port } }), {
    result: 'failure',
    text: 'error: health rpc probe failed: unknown service',
  })
  const heard = Promise.withResolvers<void>()
  const silent = await healthServer(() => heard.resolve())
  t.after(() => silent[Symbol.dispose]())
  assert.deepEqual(await askLate({ grpc: { port: silent.port } }, heard.promise), {
    result: 'failure',
    text: 'timeout: health rpc did not complete within 3s',
  })
  const port = await closedPort()
  assert.deepEqual(await askLate({ grpc: { port } }, Promise.resolve()), {
    result: 'failure',
    text: `timeout: failed to connect service "127.0.0.1:${port}" within 3s: context deadline exceeded`,
  })
  const mute = await use(
    t,
    rawServer((socket) => void socket.write('220 mail.example ESMTP\r\n')),
  )
  assert.match(
    (await ask({ grpc: { port: mute.port }, timeoutSeconds: 1 })).text,
    /^timeout: failed to connect service/,
  )
})
