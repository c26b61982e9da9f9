import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile, stat } from 'node:fs/promises'
import { createServer, connect as dial, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { loadConfig } from '../../../platform/config/index.ts'
import { createMetrics } from '../../../platform/health/index.ts'
import { listen } from '../../../platform/http/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { systemClock as clock, seconds } from '../../../platform/time/index.ts'
import { EdgeConfig } from '../../../schemas/config/index.ts'
import {
  callDevice,
  type DesiredAnswer,
  type DesiredRequest,
  type DeviceCallAnswer,
  httpForPods,
  mqttAccounts,
  setDesired,
  type Twin,
  twins,
} from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { parsePod } from '../../edged/pod/parse-pod.ts'
import { createPodAccess } from '../../edged/twins/create-pod-access.ts'
import { twinGrants } from '../../edged/twins/twin-grants.ts'
import { composeEventBus } from '../event-bus.ts'
import { composeLocalApi } from '../local-api.ts'
import { eventually } from '../testing/run.ts'

/** Of each Linux machine, and not that of the listener for people. */
const ADDRESS = '127.0.0.2'
const DOOR = '/v1/devices/shop/door'
const LAMP = '/v1/devices/shop/lamp'
const SAFE = '/v1/devices/bank/safe'
const ANNOTATIONS = { 'twins.skerry.io/read': 'door', 'twins.skerry.io/write': 'lamp' }

const twin = (id: string, revision = 1): Twin => ({
  ...{ id, uid: `uid of ${id}`, generation: 1, revision, description: '', state: 'online' },
  properties: { level: { type: 'int', modelType: 'INT', optional: false, declared: true, writable: true } },
})

function podOf(uid: string, spec: object = {}, annotations: Record<string, string> = ANNOTATIONS) {
  const parsed = parsePod({
    metadata: { name: 'till', namespace: 'shop', uid, annotations },
    spec: { containers: [{ name: 'app', image: 'till:1' }], ...spec },
  })
  assert.ok('pod' in parsed)
  return parsed.pod
}

type Store = (wish: DesiredRequest, signal: AbortSignal) => Promise<DesiredAnswer>

interface NodeOptions {
  readonly directory?: string
  readonly http?: object
  readonly address?: string
}

/** Broker, local HTTP API and pod access of one process: everything is open to people of this machine and of others. */
async function startNode(
  t: TestContext,
  { directory = temporaryFolder('skerry-pod-http-'), ...given }: NodeOptions = {},
) {
  const log = memoryLogger()
  const metrics = createMetrics()
  const bus = createLocalBus(clock, log)
  const configured = {
    ...{ node: { name: 'e' }, mqtt: { port: 0, anonymous: 'full', anonymousRemote: 'full' } },
    http: { port: 0, ...given.http },
  }
  const config = await loadConfig({ schema: EdgeConfig, text: JSON.stringify(configured) })
  const podsOfNode = { bus, address: given.address ?? ADDRESS }
  const mqtt = composeEventBus(config, { directory, log, metrics }, { bus, address: ADDRESS })
  const api = composeLocalApi(config, bus, { directory, log, metrics }, mqtt.accounts, podsOfNode)
  const access = createPodAccess({ bus, log, folder: join(directory, 'kept'), handouts: join(directory, 'out') })
  for (const id of ['shop/door', 'shop/lamp', 'shop/till', 'bank/safe']) bus.set(twins, id, twin(id))
  const disk: { store: Store } = { store: async ({ author }) => ({ ok: true, values: { author } }) }
  bus.serve(setDesired, (wish, signal) => disk.store(wish, signal))
  bus.serve(callDevice, async ({ method }): Promise<DeviceCallAnswer> => ({ ok: true, results: { method } }))
  const scope = createScope('node', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  const stop = () => scope[Symbol.asyncDispose]()
  t.after(stop)
  for (const module of [access, ...mqtt.modules, ...api.modules]) await module.start(scope)
  /** As a pod does: by what stands in its environment. */
  const enter = async (pod = podOf('u-1')) => {
    const wanted = twinGrants(pod)
    assert.ok('grants' in wanted && wanted.grants)
    const { environment } = await access.grant(pod, wanted.grants)
    const url = environment.get('SKERRY_HTTP_URL') ?? assert.fail('it is not told')
    const password = await readFile(join(directory, 'out', pod.uid, 'password'), 'utf8')
    return callerAt(url, environment.get('SKERRY_HTTP_USERNAME') ?? '', password)
  }
  const near = () => api.endpoints().http ?? assert.fail('nothing listens')
  const counted = async (line: RegExp) => line.test(await metrics.text())
  return { bus, access, directory, disk, log, stop, enter, near, counted }
}

function callerAt(url: string, user: string | undefined, password = '') {
  const headers: Record<string, string> =
    user === undefined ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` }
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { ...headers, 'content-type': 'text/plain', ...init.headers } })
  const status = async (path: string, init: RequestInit = {}) => {
    const response = await ask(path, init)
    await response.arrayBuffer()
    return response.status
  }
  const set = (device: string) => status(`${device}/properties/level/desired`, { method: 'PUT', body: '5' })
  const call = (device: string) => status(`${device}/methods/open`, { method: 'POST' })
  return { url, user: user ?? '', password, headers, ask, status, set, call }
}

type PodCaller = ReturnType<typeof callerAt>

/** A stream of events, read until its end; settles with the first events when they are there. */
async function follow(t: TestContext, { ask }: PodCaller) {
  const response = await ask('/v1/events')
  assert.equal(response.status, 200)
  const reader = (response.body ?? assert.fail()).pipeThrough(new TextDecoderStream()).getReader()
  t.after(() => reader.cancel().catch(() => undefined))
  let heard = ''
  const until = async (what: string) => {
    while (!heard.includes(what)) {
      const { done, value = '' } = await reader.read()
      if (done) throw new Error(`it ended after ${heard}`)
      heard += value
    }
    return heard
  }
  await until('event: synced')
  return { until, heard: () => heard, ended: () => assert.rejects(until('what nobody says')) }
}

test('a pod has over HTTP the rights of its annotations, and no others', { timeout: 60_000 }, async (t) => {
  const { enter, log } = await startNode(t)
  const pod = await enter()
  const rightsOf = async (device: string) => [await pod.status(device), await pod.set(device), await pod.call(device)]
  assert.deepEqual(await rightsOf(DOOR), [200, 403, 403])
  assert.deepEqual(await rightsOf(LAMP), [200, 200, 200])
  assert.deepEqual(await rightsOf('/v1/devices/shop/till'), [404, 403, 403])
  assert.deepEqual(await rightsOf(SAFE), [404, 403, 403])
  const list: { items: { device: string }[] } = JSON.parse(await (await pod.ask('/v1/devices')).text())
  assert.deepEqual(
    list.items.map(({ device }) => device),
    ['shop/door', 'shop/lamp'],
  )
  const answer = await pod.ask(`${LAMP}/properties/level/desired`, { method: 'PUT', body: '5' })
  assert.match(await answer.text(), /"author":"user:pod:shop\/till\/u-1"/)
  assert.ok(!JSON.stringify(log.lines).includes(pod.password))
})

test('nobody else comes in where pods do, whatever is open elsewhere', { timeout: 60_000 }, async (t) => {
  const { enter, near } = await startNode(t)
  const pod = await enter()
  assert.notEqual(new URL(pod.url).host, new URL(near()).host)
  const wrong = [
    callerAt(pod.url, undefined),
    callerAt(pod.url, 'somebody', 'x'),
    callerAt(pod.url, pod.user, 'guess'),
    callerAt(pod.url, 'pod/shop/till/u-2', pod.password),
  ]
  for (const caller of wrong) {
    assert.deepEqual([await caller.status(DOOR), await caller.status('/openapi.json')], [401, 401], caller.user)
  }
  const bearer = await fetch(`${pod.url}${DOOR}`, { headers: { authorization: 'Bearer a.b.c' } })
  assert.equal(bearer.status, 401)
  const said = await (await callerAt(pod.url, undefined).ask(DOOR)).text()
  assert.match(said, /twins\.skerry\.io\/read.*SKERRY_HTTP_PASSWORD_FILE/)
  assert.equal(await callerAt(near(), undefined).set(LAMP), 200, 'a person of this machine')
})

test('who comes to the loopback from elsewhere needs credentials', { timeout: 60_000 }, async (t) => {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const outer = all.find(({ family, internal }) => family === 'IPv4' && !internal)
  if (!outer) return t.skip('this machine has the loopback alone')
  const { enter, near } = await startNode(t)
  const pod = await enter()
  const askFrom = async (...headers: readonly string[]) => {
    const port = Number(new URL(near()).port)
    const socket = dial({ host: '127.0.0.1', port, localAddress: outer.address })
    socket.end([`GET ${DOOR} HTTP/1.1`, 'host: 127.0.0.1', 'connection: close', ...headers, '', ''].join('\r\n'))
    return (await text(socket)).split('\r\n')[0]
  }
  assert.equal(await askFrom(), 'HTTP/1.1 401 Unauthorized')
  assert.equal(await askFrom(`authorization: ${pod.headers['authorization']}`), 'HTTP/1.1 200 OK')
})

test('a stream tells a pod of its twins alone, and ends with its rights', { timeout: 60_000 }, async (t) => {
  const { bus, enter, access } = await startNode(t)
  const pod = await enter()
  const stream = await follow(t, pod)
  bus.set(twins, 'bank/safe', twin('bank/safe', 2))
  bus.set(twins, 'shop/till', twin('shop/till', 2))
  bus.remove(twins, 'shop/door')
  await stream.until('event: gone')
  assert.ok(!/safe|till/.test(stream.heard()))
  await access.grant(podOf('u-1'), { read: ['shop/till'], write: [] })
  await stream.ended()
  const again = await follow(t, pod)
  assert.match(again.heard(), /shop\/till/)
  assert.ok(!again.heard().includes('shop/lamp'))
  await access.revoke('u-1')
  await again.ended()
  assert.deepEqual([await pod.status(LAMP), await pod.set(LAMP)], [401, 401])
})

test('what a pod asked for that went is not waited for, and other pods stay', { timeout: 60_000 }, async (t) => {
  const { bus, disk, enter, access } = await startNode(t)
  const [pod, other] = [await enter(), await enter(podOf('u-2'))]
  const asked = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  disk.store = async (_wish, signal) => {
    asked.resolve()
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    aborted.resolve()
    return { ok: false, code: 500, reason: 'nobody waits' }
  }
  const answer = pod.set(LAMP)
  answer.catch(() => undefined)
  await asked.promise
  const stream = await follow(t, other)
  await access.revoke('u-1')
  await assert.rejects(answer)
  await aborted.promise
  bus.set(twins, 'shop/lamp', twin('shop/lamp', 2))
  await stream.until('event: twin')
  assert.equal(await other.status(LAMP), 200)
})

test('a change that was begun with rights of before is not done with them', { timeout: 60_000 }, async (t) => {
  const { enter, access, disk } = await startNode(t)
  const pod = await enter()
  let stored = 0
  disk.store = async () => {
    stored++
    return { ok: true, values: {} }
  }
  const socket = dial({ host: ADDRESS, port: Number(new URL(pod.url).port) })
  t.after(() => socket.destroy())
  const head = [`PUT ${LAMP}/properties/level/desired HTTP/1.1`, `host: ${ADDRESS}`, 'content-type: text/plain']
  const rest = [`authorization: ${pod.headers['authorization']}`, 'content-length: 2', 'expect: 100-continue']
  socket.write([...head, ...rest, '', ''].join('\r\n'))
  // It is known who asks, and the body is read.
  const [said] = await once(socket, 'data')
  assert.match(String(said), /^HTTP\/1\.1 100 /)
  await access.grant(podOf('u-1'), { read: ['shop/lamp'], write: [] })
  socket.end('55')
  assert.ok(!/ 200 /.test(await text(socket)))
  assert.deepEqual([stored, await pod.set(LAMP)], [0, 403])
})

test('one pod floods its own share alone: streams, requests, connections', { timeout: 60_000 }, async (t) => {
  const { disk, enter, counted, near } = await startNode(t, {
    http: { pods: { maxConnections: 4, maxRequests: 2, maxStreams: 1 }, maxBodyBytes: 2048 },
  })
  const [pod, other] = [await enter(), await enter(podOf('u-2'))]
  await follow(t, pod)
  assert.equal(await pod.status('/v1/events'), 429)
  await follow(t, other)

  const hold = Promise.withResolvers<DesiredAnswer>()
  let waiting = 0
  disk.store = () => {
    waiting++
    return hold.promise
  }
  const held = [pod.set(LAMP), pod.set(LAMP)]
  await eventually('two are worked on', async () => (waiting === 2 ? true : undefined))
  const third = await pod.ask(LAMP)
  assert.deepEqual([third.status, third.headers.get('retry-after')], [429, '1'])
  await third.arrayBuffer()
  assert.equal(await other.status(LAMP), 200)
  assert.equal(await callerAt(near(), undefined).status(LAMP), 200)
  hold.resolve({ ok: true, values: {} })
  assert.deepEqual(await Promise.all(held), [200, 200])
  const big = { method: 'PUT', body: 'x'.repeat(2049) }
  assert.equal(await pod.status(`${LAMP}/properties/level/desired`, big), 413)
  for (const reason of ['streams', 'requests']) {
    assert.ok(await counted(new RegExp(`skerry_local_api_refused_total\\{reason="${reason}"\\} [1-9]`)), reason)
  }
})

test('connections of one pod, and of one address, are bounded', { timeout: 60_000 }, async (t) => {
  const { enter, counted } = await startNode(t, {
    http: { pods: { maxConnections: 2, maxRequests: 8, maxStreams: 4 } },
  })
  const [pod, other] = [await enter(), await enter(podOf('u-2'))]
  const { port } = new URL(pod.url)
  const open = (from: string): Socket => {
    const socket = dial({ host: ADDRESS, port: Number(port), localAddress: from })
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
    return socket
  }
  /** Asks on a connection that stays, and says with which status it was answered. */
  const askOn = async (socket: Socket, who: PodCaller) => {
    const head = [`GET ${LAMP} HTTP/1.1`, `host: ${ADDRESS}`, `authorization: ${who.headers['authorization']}`]
    socket.write([...head, '', ''].join('\r\n'))
    const [chunk] = await once(socket, 'data')
    return Number(/^HTTP\/1\.1 (\d+)/.exec(String(chunk))?.[1])
  }
  const [first, second, third] = [open('127.0.0.3'), open('127.0.0.3'), open('127.0.0.4')]
  assert.deepEqual([await askOn(first, pod), await askOn(second, pod), await askOn(first, pod)], [200, 200, 200])
  assert.equal(await askOn(third, pod), 429, 'by whatever address')
  await once(third, 'close')
  first.destroy()
  await eventually('its place is free', async () => ((await askOn(open('127.0.0.4'), pod)) === 200 ? true : undefined))

  const silent = Array.from({ length: 6 }, () => open('127.0.0.5'))
  await eventually('the rest is closed', async () =>
    silent.filter((each) => each.closed).length === 2 ? true : undefined,
  )
  assert.equal(await askOn(open('127.0.0.6'), other), 200)
  assert.ok(await counted(/skerry_local_api_refused_total\{reason="connections"\} ([3-9]|\d\d)/))
})

test('a container that runs on over a restart finds the API where it was', { timeout: 60_000 }, async (t) => {
  const first = await startNode(t)
  const pod = await first.enter()
  await first.stop()
  const { directory } = first
  const file = join(directory, 'http', 'pod-port')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  assert.equal((await stat(join(directory, 'http'))).mode & 0o777, 0o700)
  // Before anybody has spoken of the pod.
  const second = await startNode(t, { directory })
  assert.equal(await pod.status(LAMP), 200)
  await second.stop()
  const taker = createServer()
  await listen(taker, { host: ADDRESS, port: Number(new URL(pod.url).port) })
  t.after(() => taker.close())
  const third = await startNode(t, { directory })
  assert.ok(third.log.messages('warn').some((line) => line.startsWith('Pods that run on do not find')))
  const moved = await third.enter()
  assert.notEqual(moved.url, pod.url)
  assert.equal(await moved.status(LAMP), 200)
  assert.equal(await readFile(join(directory, 'out', 'u-1', 'http-url'), 'utf8'), moved.url)
})

test('nothing listens for pods before the first of them, nor once all have gone', { timeout: 60_000 }, async (t) => {
  const first = await startNode(t)
  const port = Number(new URL(first.near()).port)
  const refused = (at: number) => assert.rejects(fetch(`http://${ADDRESS}:${at}${LAMP}`))
  await refused(port)
  const pod = await first.enter()
  await first.access.revoke('u-1')
  await first.stop()
  await startNode(t, { directory: first.directory })
  await refused(Number(new URL(pod.url).port))
})

test('a pod on the network of the node finds the API on the loopback, with its account', {
  timeout: 60_000,
}, async (t) => {
  const { enter, near } = await startNode(t)
  const pod = await enter(podOf('u-1', { hostNetwork: true }))
  assert.equal(pod.url, near())
  assert.deepEqual([await pod.status(LAMP), await pod.status(SAFE), await pod.set(DOOR)], [200, 404, 403])
  assert.equal(await callerAt(pod.url, pod.user, 'guess').status(LAMP), 401)
})

test('where the API cannot be had a pod starts without it, and the log says why', { timeout: 60_000 }, async (t) => {
  const far = await startNode(t, { address: '192.0.2.1' })
  await assert.rejects(far.enter(), /it is not told/)
  assert.ok(far.log.messages('warn').includes('A pod is not told of the local HTTP API of this node'))
  const off = await startNode(t, { http: { enabled: false } })
  await assert.rejects(off.enter(), /it is not told/)
  assert.ok(!off.log.messages('warn').includes('A pod is not told of the local HTTP API of this node'))
  assert.equal(off.bus.list(mqttAccounts).size, 1)
  await assert.rejects(off.bus.request(httpForPods, { network: 'pod' }, { deadline: seconds(1) }), {
    code: 'PLATFORM_BUS_NO_SERVER',
  })
})
