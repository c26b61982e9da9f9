import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createMetrics } from '../../platform/health/index.ts'
import { createScope } from '../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { seconds, systemRandom } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import {
  callDevice,
  type DeviceCall,
  type DeviceCallAnswer,
  type PlainTwin,
  reportDevices,
} from '../../schemas/index.ts'
import { lamp, lampModel, startTwins } from '../testing/edge.ts'
import type { Access } from './caller.ts'
import { createLocalApiModule } from './module.ts'
import { openApi } from './openapi.ts'
import type { LocalApiOptions } from './options.ts'
import { ROUTES } from './routes.ts'

const BASIC = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
const ANNA = { authorization: BASIC('anna', 'right') }

/** Anna may all with default/lamp; whoever does not say who he is may see it; others are not let in. */
/** Without accounts of pods. */
const noAccounts = { follow: () => ({ [Symbol.dispose]: () => undefined }) }
const access: Access = {
  ...noAccounts,
  async identify(_peer, user, password) {
    const isOfLamp = (topic: string) => topic.startsWith('twins/default/lamp')
    if (user === undefined) {
      return { user, rights: { mayHear: isOfLamp, refusePublish: () => 'callers without credentials may read' } }
    }
    if (user === 'busy') return { returnCode: 3, reason: 'too many clients log in' }
    if (user !== 'anna' || Buffer.from(password ?? []).toString() !== 'right') {
      return { returnCode: 4, reason: 'bad user name or password' }
    }
    const refusePublish = (topic: string) => (isOfLamp(topic) ? undefined : 'it is not a topic of its twins')
    return { user, rights: { mayHear: isOfLamp, refusePublish } }
  },
}

async function start(t: TestContext, options: Partial<LocalApiOptions> = {}) {
  const others = [lamp({ name: 'hidden' }), lampModel()] as const
  const clock = new FakeClock()
  const edge = await startTwins(t, { clock, devices: [[lamp(), lampModel()], others] })
  const log = memoryLogger()
  const scope = createScope('LocalApi', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const module = createLocalApiModule({
    ...{ host: '127.0.0.1', port: 0, origins: [], names: [], maxBodyBytes: 10_000, maxStreams: 4 },
    pods: { maxConnections: 2, maxRequests: 2, maxStreams: 1 },
    ...{ access, bus: edge.bus, version: '1.2.3', clock, random: systemRandom, log, metrics: createMetrics() },
    ...options,
  })
  await module.start(scope)
  const api = (path: string, init: RequestInit = {}) => fetch(`${module.url}${path}`, init)
  const json = (path: string, method: string, body: unknown, headers: Record<string, string> = ANNA) =>
    api(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } })
  return { ...edge, api, json, url: module.url ?? assert.fail(), log }
}

interface Body {
  readonly items: readonly PlainTwin[]
  readonly continue?: string
  readonly properties: PlainTwin['properties']
  readonly value?: unknown
  readonly desired?: unknown
  readonly detail?: string
  readonly paths: Readonly<Record<string, object>>
  readonly components: { readonly schemas: Readonly<Record<string, object>> }
}

async function bodyOf(response: Response | Promise<Response>): Promise<Body> {
  return JSON.parse(await (await response).text())
}

const LAMP = '/v1/devices/default/lamp'

test('a twin is read as on MQTT, and what is not to be seen is not there', async (t) => {
  const { api, bus } = await start(t)
  const reading = { property: 'brightness', value: '7', sourceTime: 5, quality: 'good' as const }
  await bus.request(reportDevices, [{ id: 'default/lamp', readings: [reading], writes: [] }], { deadline: seconds(5) })
  const twin = await bodyOf(api(LAMP))
  assert.equal(twin.properties['brightness']?.value, 7)
  assert.equal((await bodyOf(api(`${LAMP}/properties/brightness`))).value, 7)
  const list = await bodyOf(api('/v1/devices'))
  assert.deepEqual(
    list.items.map(({ device }: PlainTwin) => device),
    ['default/lamp'],
  )
  for (const path of ['/v1/devices/default/hidden', '/v1/devices/default/ghost', `${LAMP}/properties/none`]) {
    const refused = await api(path)
    assert.deepEqual([refused.status, refused.headers.get('content-type')], [404, 'application/problem+json'])
  }
})

test('pages of a list follow each other', async (t) => {
  const rights = { mayHear: () => true, refusePublish: () => undefined }
  const { api } = await start(t, { access: { ...noAccounts, identify: async () => ({ user: undefined, rights }) } })
  const first = await bodyOf(api('/v1/devices?limit=1'))
  const second = await bodyOf(api(`/v1/devices?limit=1&continue=${encodeURIComponent(first.continue ?? '')}`))
  assert.deepEqual(
    [...first.items, ...second.items].map(({ name }: PlainTwin) => name),
    ['hidden', 'lamp'],
  )
  assert.equal(second.continue, undefined)
  assert.equal((await api('/v1/devices?limit=0')).status, 400)
})

test('a desired value is on disk when it is answered, whichever way it is written', async (t) => {
  const { api, json, disk } = await start(t)
  const before = disk.writes
  const answer = await json(`${LAMP}/properties/brightness/desired`, 'PUT', { value: 80 })
  assert.deepEqual(await bodyOf(answer), { device: 'default/lamp', desired: { brightness: 80 } })
  assert.equal(disk.writes, before + 1)
  const headers = { ...ANNA, 'content-type': 'text/plain; charset=utf-8' }
  const plain = await api(`${LAMP}/properties/brightness/desired`, { method: 'PUT', body: '81', headers })
  assert.equal(plain.status, 200)
  const several = await json(`${LAMP}/desired`, 'PATCH', { brightness: '82' })
  assert.deepEqual((await bodyOf(several)).desired, { brightness: 82 })
  const { desired } = await bodyOf(api(`${LAMP}/properties/brightness`))
  assert.equal(desired, 82)
})

test('who may not, or says it badly, is told why, and nothing changes', async (t) => {
  const { api, json, disk } = await start(t)
  const before = disk.writes
  const set = `${LAMP}/properties/brightness/desired`
  const put = (body: string, headers: Record<string, string>) => api(set, { method: 'PUT', body, headers })
  const statuses = [
    (await json(set, 'PUT', { value: 1 }, {})).status,
    (await json(set, 'PUT', { value: 1 }, { authorization: BASIC('anna', 'wrong') })).status,
    (await json(set, 'PUT', { value: 1 }, { authorization: 'Bearer x' })).status,
    (await json(set, 'PUT', { value: 1 }, { authorization: BASIC('busy', 'x') })).status,
    (await json('/v1/devices/default/hidden/desired', 'PATCH', { brightness: 1 })).status,
    (await json(set, 'PUT', { value: { a: 1 } })).status,
    (await json(set, 'PUT', { value: 2 ** 53 })).status,
    (await json(set, 'PUT', { value: 'bright' })).status,
    (await json(`${LAMP}/desired`, 'PATCH', {})).status,
    (await json(`${LAMP}/desired`, 'PATCH', { brightness: 1, none: 2 })).status,
    (await put('{', { ...ANNA, 'content-type': 'application/json' })).status,
    (await put('<a/>', { ...ANNA, 'content-type': 'application/xml' })).status,
    (await put('x'.repeat(10_001), { ...ANNA, 'content-type': 'text/plain' })).status,
    (await put('1', { ...ANNA, 'content-type': 'text/plain', 'content-encoding': 'gzip' })).status,
    (await json(LAMP, 'DELETE', {})).status,
    (await api('/v2')).status,
    (await api('/v1/devices/default/%')).status,
  ]
  assert.deepEqual(statuses, [401, 401, 401, 503, 403, 400, 400, 400, 400, 404, 400, 415, 413, 415, 405, 404, 404])
  const unsaid = await json(set, 'PUT', { value: 1 }, {})
  assert.match(unsaid.headers.get('www-authenticate') ?? '', /^Basic /)
  assert.match((await bodyOf(unsaid)).detail ?? '', /MQTT user/)
  assert.equal(disk.writes, before)
})

/** What the server says to these bytes, until it closes. */
async function raw(url: string, ...lines: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let said = ''
  socket.on('data', (chunk) => {
    said += chunk.toString()
  })
  socket.write([...lines, 'connection: close', '', ''].join('\r\n'))
  await once(socket, 'close')
  return said
}

test('names that objects have anyway, and names with slashes, are names like others', async (t) => {
  const { api, json, disk } = await start(t)
  const before = disk.writes
  const headers = { ...ANNA, 'content-type': 'application/octet-stream' }
  for (const name of ['constructor', 'toString', '__proto__', 'a%2Fb', 'brightness%2Fset', '%23']) {
    const path = `${LAMP}/properties/${name}`
    const expected = name === '__proto__' ? 400 : 404
    assert.equal((await api(`${path}/desired`, { method: 'PUT', body: '1', headers })).status, expected, name)
    assert.equal((await api(path, { headers: ANNA })).status, 404, name)
  }
  const several = {
    method: 'PATCH',
    body: '{"__proto__": 1}',
    headers: { ...ANNA, 'content-type': 'application/json' },
  }
  assert.equal((await api(`${LAMP}/desired`, several)).status, 400)
  assert.equal((await json(`${LAMP}/desired`, 'PATCH', { constructor: 1 })).status, 404)
  for (const path of ['/v1/devices/default%2Flamp/x', '/v1/devices/constructor/prototype', '/v1/devices/default/%2B'])
    assert.equal((await api(path, { headers: ANNA })).status, 404, path)
  assert.equal(disk.writes, before)
})

test('a target that is no path is the caller\u2019s mistake, and no requests hide in others', async (t) => {
  const { url, log } = await start(t)
  assert.match(await raw(url, 'GET http://[ HTTP/1.1', 'host: localhost'), /^HTTP\/1.1 400 /)
  assert.match(await raw(url, 'GET http://evil.example/v1/devices HTTP/1.1', 'host: evil.example'), /^HTTP\/1.1 421 /)
  const both = ['content-length: 4', 'transfer-encoding: chunked']
  assert.match(await raw(url, `POST ${LAMP} HTTP/1.1`, 'host: localhost', ...both), /^HTTP\/1.1 400 /)
  assert.match(await raw(url, `GET ${LAMP} HTTP/1.1`), /^HTTP\/1.1 400 /)
  assert.deepEqual(
    log.lines.filter(({ level }) => level === 'error'),
    [],
  )
})

test('nothing is changed by GET', async (t) => {
  const { api, disk } = await start(t)
  const before = disk.writes
  for (const path of [`${LAMP}/properties/brightness/desired`, `${LAMP}/desired`, `${LAMP}/methods/blink`]) {
    assert.equal((await api(`${path}?value=1`, { headers: ANNA })).status, 405)
  }
  assert.equal(disk.writes, before)
})

test('a method is called with its arguments, and its failures are told', async (t) => {
  const { json, bus, api } = await start(t)
  const calls: DeviceCall[] = []
  bus.serve(callDevice, async (call): Promise<DeviceCallAnswer> => {
    calls.push(call)
    if (call.method === 'blink') return { ok: true, results: { brightness: '5' } }
    return { ok: false, code: 502, reason: 'the lamp is broken', results: { brightness: null } }
  })
  const done = await json(`${LAMP}/methods/blink?timeout=700`, 'POST', { brightness: 5 })
  assert.deepEqual(await bodyOf(done), { results: { brightness: '5' } })
  assert.deepEqual(calls, [{ id: 'default/lamp', method: 'blink', arguments: { brightness: 5 }, timeout: 700 }])
  const failed = await api(`${LAMP}/methods/burn`, { method: 'POST', headers: ANNA })
  assert.deepEqual(await bodyOf(failed), { status: 502, detail: 'the lamp is broken', results: { brightness: null } })
  assert.equal((await json(`${LAMP}/methods/blink`, 'POST', {}, {})).status, 401)
  assert.equal((await json(`${LAMP}/methods/blink?timeout=0`, 'POST', {})).status, 400)
})

/** Events as they come. */
async function follow(t: TestContext, url: string, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers })
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const reader = (response.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader()
  t.after(() => reader.cancel().catch(() => undefined))
  let text = ''
  return async () => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const event = text.slice(0, end)
        text = text.slice(end + 2)
        return event
      }
      const { done, value = '' } = await reader.read()
      if (done) return 'end'
      text += value
    }
  }
}

test('events say what is, then what changes and what goes', async (t) => {
  const { url, json, assign } = await start(t)
  const next = await follow(t, `${url}/v1/events`)
  assert.match(await next(), /^event: twin\ndata: \{"device":"default\/lamp"/)
  assert.equal(await next(), 'event: synced\ndata: {}')
  await json(`${LAMP}/properties/brightness/desired`, 'PUT', { value: 33 })
  assert.match(await next(), /^event: twin\ndata: .*"desired":33/)
  assign(lamp({ name: 'other' }), lampModel())
  await json(`${LAMP}/properties/brightness/desired`, 'PUT', { value: 34 })
  assert.match(await next(), /^event: twin\ndata: \{"device":"default\/lamp".*"desired":34/)
})

test('a stream is alive, ends with the rights of its caller, and its place is free again', async (t) => {
  let isIn = true
  const guarded: Access = {
    ...noAccounts,
    identify: async (...who) =>
      isIn ? access.identify(...who) : { returnCode: 4, reason: 'bad user name or password' },
  }
  const { url, clock, api } = await start(t, { access: guarded, maxStreams: 2 })
  const next = await follow(t, `${url}/v1/events?device=default/lamp`, ANNA)
  assert.match(await next(), /^event: twin/)
  assert.match(await next(), /^event: synced/)
  const second = await fetch(`${url}/v1/events`, { headers: ANNA })
  assert.deepEqual([second.status, second.headers.get('retry-after')], [503, '5'])
  clock.advance(seconds(15))
  assert.equal(await next(), ': alive')
  isIn = false
  clock.advance(seconds(15))
  await assert.rejects(next())
  isIn = true
  const again = await follow(t, `${url}/v1/events`, ANNA)
  assert.match(await again(), /^event: twin/)
  assert.equal((await api('/v1/events', { method: 'HEAD' })).status, 405)
})

test('a page in a browser comes in only from this host or a listed origin, and never by a name that could be anybody', async (t) => {
  const { api, url } = await start(t, { origins: ['https://panel.example'], names: ['gateway.local'] })
  const from = (origin: string) => api(LAMP, { headers: { origin } })
  const listed = await from('https://panel.example')
  assert.deepEqual([listed.status, listed.headers.get('access-control-allow-origin')], [200, 'https://panel.example'])
  assert.equal((await from('http://127.0.0.1:5173')).status, 200)
  const evil = await from('https://evil.example')
  assert.deepEqual([evil.status, evil.headers.get('access-control-allow-origin')], [403, null])
  const headers = { origin: 'https://panel.example', 'access-control-request-method': 'PUT' }
  const preflight = await api(`${LAMP}/properties/brightness/desired`, { method: 'OPTIONS', headers })
  assert.deepEqual([preflight.status, preflight.headers.get('access-control-allow-methods')], [204, 'PUT'])
  const { port } = new URL(url)
  const byName = async (host: string) => {
    const sent = httpRequest({ port, path: LAMP, headers: { host } }).end()
    const [response] = await once(sent, 'response')
    response.resume()
    return response.statusCode
  }
  assert.deepEqual(
    [await byName('evil.example'), await byName('gateway.local:1'), await byName('localhost')],
    [421, 200, 200],
  )
})

test('whoever never reads costs a bounded amount of memory, and does not disturb others', async (t) => {
  const { url, json } = await start(t)
  const { port } = new URL(url)
  const idle = connect(Number(port), '127.0.0.1')
  t.after(() => idle.destroy())
  await once(idle, 'connect')
  idle.pause()
  idle.write('GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n')
  const next = await follow(t, `${url}/v1/events`)
  await next()
  await next()
  for (let value = 0; value < 300; value++) {
    await json(`${LAMP}/properties/brightness/desired`, 'PUT', { value: value % 100 })
  }
  let last = ''
  while (!/"desired":99/.test(last)) last = await next()
})

test('the description names exactly what is served', async (t) => {
  const { api } = await start(t)
  const described = await bodyOf(api('/openapi.json'))
  assert.deepEqual(described, JSON.parse(JSON.stringify(openApi('1.2.3'))))
  const operations = Object.entries(described.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(operations.sort(), ROUTES.map(({ method, path }) => `${method} ${path}`).sort())
  const text = JSON.stringify(described)
  for (const [, name = ''] of text.matchAll(/#\/components\/schemas\/(\w+)/g))
    assert.ok(described.components.schemas[name])
})
