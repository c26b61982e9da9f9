import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, before, describe, it, type TestContext } from 'node:test'
import { createMetrics } from '../../../platform/health/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { type Duration, minutes, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { type ServedApi, serveTestApi } from '../../apiserver/testing/serve.ts'
import { Driven } from '../testing/faults/driven.ts'
import { type Fault, FaultServer } from '../testing/faults/fault-server.ts'
import { answers, cutAfter, isList, isWatch, late, mute, onlyFor, refuses, silent } from '../testing/faults/faults.ts'
import { countingRandom } from '../testing/harness.ts'
import { ApiTroubles } from './api-troubles.ts'
import { kubernetesFromConfig } from './from-config.ts'
import { createInformer } from './informer.ts'
import type { Kubernetes } from './kubernetes.ts'
import { CONFIG_MAPS } from './resources.ts'

interface BadDay {
  readonly day: string
  readonly fault: (server: FaultServer, clock: FakeClock) => Fault
  /** How long it lasts. */
  readonly lasts: Duration
  /** What people read meanwhile; absent where all goes on. */
  readonly says?: RegExp
  /** What is new arrives meanwhile. */
  readonly isSeen?: boolean
  /** Requests meanwhile. */
  readonly most: number
}

const page = '<html><body>We are back soon</body></html>'
const busy = { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'TooManyRequests', code: 429 }
const wide = 'ä'.repeat(4000)

/** Each with the API as it was before and after, and a watch that was cut at its begin. */
const DAYS: readonly BadDay[] = [
  {
    day: 'requests that are never answered',
    fault: (server) => silent(server),
    lasts: minutes(20),
    says: /cannot be reached/,
    most: 45,
  },
  {
    day: 'answers that take twenty seconds',
    fault: (server, clock) => late(server, clock, seconds(20)),
    lasts: minutes(5),
    most: 20,
  },
  {
    day: 'an API that throttles, and says for how long',
    fault: () => answers(429, { ...busy, message: 'slow down' }, { 'retry-after': '30' }),
    lasts: minutes(20),
    says: /cannot answer now: slow down/,
    most: 41,
  },
  {
    day: 'an API that throttles without a word',
    fault: () => answers(429, ''),
    lasts: minutes(20),
    says: /cannot answer now/,
    most: 130,
  },
  {
    day: 'an API with an error in it',
    fault: () => refuses(500, 'InternalError', 'etcdserver: request timed out'),
    lasts: minutes(20),
    says: /etcdserver: request timed out/,
    most: 130,
  },
  {
    day: 'an API of which every other answer is 503',
    fault: () => everyOther(refuses(503, 'ServiceUnavailable', 'apiserver is shutting down')),
    lasts: minutes(5),
    most: 60,
  },
  {
    day: 'a page of a gateway with 200',
    fault: () => answers(200, page),
    lasts: minutes(20),
    says: /does something else answer/,
    most: 130,
  },
  {
    day: 'a page of a gateway with 404',
    fault: () => answers(404, page),
    lasts: minutes(20),
    says: /does something else answer/,
    most: 130,
  },
  {
    day: 'a page of a gateway with 502',
    fault: () => answers(502, page),
    lasts: minutes(20),
    says: /cannot answer now/,
    most: 130,
  },
  {
    day: 'a gateway that wants a login',
    fault: () => answers(302, '', { location: '/login' }),
    lasts: minutes(20),
    says: /does something else answer/,
    most: 130,
  },
  {
    day: 'a role that lacks this kind',
    fault: () => refuses(403, 'Forbidden', 'configmaps is forbidden: User "skerry" cannot watch'),
    lasts: minutes(20),
    says: /refused the request: configmaps is forbidden/,
    most: 130,
  },
  {
    day: 'versions that are always too old',
    fault: () =>
      onlyFor(
        isWatch,
        answers(
          200,
          `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' } })}\n`,
        ),
      ),
    lasts: minutes(20),
    says: /too old resource version/,
    most: 260,
  },
  {
    day: 'lists that end in the middle',
    fault: () =>
      withoutVersions(answers(200, '{"kind":"ConfigMapList","metadata":{"resourceVersion":"9"},"items":[{"meta')),
    lasts: minutes(20),
    says: /does something else answer/,
    most: 260,
  },
  {
    day: 'lists whose connection breaks in the middle',
    fault: () => withoutVersions(cutAfter(200)),
    lasts: minutes(20),
    says: /cannot be reached|peer left/,
    most: 260,
  },
  {
    day: 'watches that are open and tell nothing for hours',
    fault: () => mute(),
    lasts: minutes(180),
    says: /fell silent/,
    isSeen: true,
    most: 230,
  },
  {
    day: 'watches that break in an event, between the bytes of a letter',
    fault: () => first(3, onlyFor(isWatch, cutAfter(1001))),
    lasts: minutes(5),
    most: 20,
  },
  {
    day: 'watches that end in an event as if all were said',
    fault: () =>
      first(
        3,
        onlyFor(
          isWatch,
          cutAfter(1002, (response) => response.end()),
        ),
      ),
    lasts: minutes(5),
    most: 20,
  },
]

describe('the API on a bad day', () => {
  let api: ServedApi
  let server: FaultServer
  let admin: Kubernetes & Disposable
  const releases: (() => Promise<void>)[] = []

  before(async () => {
    api = await serveTestApi({ after: (release) => void releases.push(release) })
    server = await FaultServer.start(api)
    admin = await kubernetesFromConfig({ file: api.kubeconfig }, { clock: new FakeClock(), log: silentLogger })
    for (const name of ['a', 'b', 'c'])
      await admin.create(CONFIG_MAPS, 'default', { metadata: { name }, data: { wide } })
  })

  after(async () => {
    admin[Symbol.dispose]()
    await server[Symbol.asyncDispose]()
    for (const release of releases) await release()
  })

  /** An informer of ConfigMaps through the fault server, after its first list. */
  async function follow(t: TestContext) {
    server.fault = undefined
    const clock = new FakeClock()
    const metrics = createMetrics()
    const troubles = new ApiTroubles({ clock, log: silentLogger, metrics })
    const client = await kubernetesFromConfig({ text: server.kubeconfig() }, { clock, log: silentLogger, metrics })
    const driven = new Driven(client, clock, server)
    const ports = {
      kubernetes: driven.kubernetes,
      clock,
      random: countingRandom(),
      log: silentLogger,
      metrics,
      troubles,
    }
    const informer = createInformer(CONFIG_MAPS, { namespace: 'default' }, ports)
    const deleted: string[] = []
    informer.onChange((now, old) => !now && deleted.push(old?.metadata.name ?? ''))
    const stop = new AbortController()
    const running = informer.run(stop.signal)
    t.after(async () => {
      server.fault = undefined
      stop.abort(new Error('over'))
      await running
      client[Symbol.dispose]()
    })
    await driven.until('the first list', () => informer.isSynced)
    return { clock, metrics, troubles, driven, informer, deleted }
  }

  let count = 0
  /** Writes behind the back of the fault server. */
  const write = async () => {
    const name = `new-${++count}`
    await admin.create(CONFIG_MAPS, 'default', { metadata: { name }, data: { wide } })
    return name
  }

  for (const { day, fault, lasts, says, isSeen = !says, most } of DAYS) {
    it(`${day}: nothing is taken for deleted, few requests, and it goes on by itself`, async (t) => {
      const { clock, metrics, troubles, driven, informer, deleted } = await follow(t)
      const known = informer.list().length
      server.fault = fault(server, clock)
      server.cut()
      server.seen.length = 0
      const during = await write()
      await driven.pass(lasts)
      if (says) assert.match(troubles.text ?? 'no trouble', says)
      if (isSeen)
        await driven.until(
          'what is new meanwhile',
          () => informer.get({ namespace: 'default', name: during }) !== undefined,
        )
      assert.ok(server.seen.length <= most, `${server.seen.length} requests`)
      assert.ok(informer.list().length >= known)
      if (says) {
        assert.match(
          await metrics.text(),
          /^skerry_kubernetes_watch_failures_total\{kind="ConfigMap",reason="\w+"\} [1-9]/m,
        )
        assert.match(await metrics.text(), /^skerry_kubernetes_trouble_seconds [1-9]/m)
      }
      server.fault = undefined
      const later = await write()
      await driven.until('what is new', () => informer.get({ namespace: 'default', name: later }) !== undefined)
      assert.ok(informer.get({ namespace: 'default', name: during }))
      assert.deepEqual(deleted, [])
      await write()
      await driven.until('the end of the trouble', () => troubles.text === undefined)
    })
  }

  it('an hour of refused connections: nothing is taken for deleted, few tries, and it goes on by itself', async (t) => {
    const { metrics, troubles, driven, informer, deleted } = await follow(t)
    const known = informer.list().length
    await server.shut()
    const during = await write()
    await driven.pass(minutes(60), seconds(1))
    assert.match(troubles.text ?? '', /^the Kubernetes API, for news of ConfigMap in default \(.*ECONNREFUSED/)
    const tries = /reason="Unreachable"\} (\d+)/.exec(await metrics.text())
    assert.ok(Number(tries?.[1]) > 200 && Number(tries?.[1]) < 500, `${tries?.[1]} tries in an hour`)
    assert.equal(informer.list().length, known)
    await server.open()
    await driven.until('what is new', () => informer.get({ namespace: 'default', name: during }) !== undefined)
    assert.equal(troubles.text, undefined)
    assert.deepEqual(deleted, [])
  })

  it('a list whose second page the API has forgotten is read in one piece', async (t) => {
    const { driven } = await follow(t)
    const first = {
      kind: 'ConfigMapList',
      metadata: { resourceVersion: '5', continue: 'more' },
      items: [{ metadata: { name: 'old' } }],
    }
    server.fault = (request, response, pass) => {
      const query = new URL(request.url ?? '', 'https://x').searchParams
      if (query.get('continue') === 'more')
        return refuses(410, 'Expired', 'The provided continue parameter is too old')(request, response, pass)
      if (query.get('limit') !== null) return answers(200, first)(request, response, pass)
      pass()
    }
    const { items } = await driven.kubernetes.list(CONFIG_MAPS, { namespace: 'default' })
    const names = items.map(({ metadata }) => metadata.name)
    assert.deepEqual([names.includes('a'), names.includes('c'), names.includes('old')], [true, true, false])
  })

  it('a gateway that says 404 has not said that an object is missing, nor that it was deleted', async (t) => {
    const { driven } = await follow(t)
    server.fault = answers(404, page)
    const at = { namespace: 'default', name: 'a' }
    await assert.rejects(driven.kubernetes.get(CONFIG_MAPS, at), { code: 'HUB_KUBERNETES_UNAVAILABLE' })
    await assert.rejects(driven.kubernetes.delete(CONFIG_MAPS, at), { code: 'HUB_KUBERNETES_UNAVAILABLE' })
    server.fault = refuses(404, 'NotFound', 'configmaps "a" not found')
    assert.equal(await driven.kubernetes.get(CONFIG_MAPS, at), undefined)
  })

  it('after a call that nobody answered, the connections beside it are not trusted either', async (t) => {
    const { clock, driven } = await follow(t)
    const at = { namespace: 'default', name: 'a' }
    await Promise.all(['a', 'b', 'c'].map((name) => driven.kubernetes.get(CONFIG_MAPS, { namespace: 'default', name })))
    server.fault = silent(server)
    const failing = assert.rejects(driven.kubernetes.get(CONFIG_MAPS, at), /cannot be reached/)
    await driven.pass(seconds(31))
    await failing
    server.fault = undefined
    assert.ok(await driven.kubernetes.get(CONFIG_MAPS, at))
    assert.ok(clock.monotonic() < 60_000)
  })
})

function first(times: number, fault: Fault): Fault {
  let count = 0
  return (request, response, pass) => (count++ < times ? fault(request, response, pass) : pass())
}

function everyOther(fault: Fault): Fault {
  let count = 0
  return (request, response, pass) => (count++ % 2 === 0 ? fault(request, response, pass) : pass())
}

/** Watches forget their version, so that each needs a list, which gets this. */
function withoutVersions(fault: Fault): Fault {
  const expired = answers(
    200,
    `${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`,
  )
  return (request: IncomingMessage, response: ServerResponse, pass) =>
    isList(request) ? fault(request, response, pass) : expired(request, response, pass)
}
