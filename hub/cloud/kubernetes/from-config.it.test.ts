import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { listen } from '../../../platform/http/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { reasonOfError, retryAfterOf } from './errors.ts'
import { kubernetesFromConfig } from './from-config.ts'
import { createInformer } from './informer.ts'
import { NODES, SECRETS, SERVICE_ACCOUNTS, TOKEN_REVIEWS } from './resources.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

async function setup(t: TestContext, answer: Answer, clock = systemClock) {
  const seen: string[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    seen.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''} ${body}`.trim())
    assert.equal(request.headers.authorization, 'Bearer t0ken')
    answer(request, response, body)
  })
  await listen(server, { host: '127.0.0.1', port: 0 })
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const kubeconfig = JSON.stringify({
    clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}/base`, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'u', user: { token: 't0ken' } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  })
  const kubernetes = await kubernetesFromConfig({ text: kubeconfig }, { clock, log: silentLogger })
  t.after(() => {
    kubernetes[Symbol.dispose]()
    server.closeAllConnections()
    server.close()
  })
  return { kubernetes, seen, server }
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

const node = (name: string, version: string) => ({ metadata: { name, uid: name, resourceVersion: version } })
const signal = () => AbortSignal.timeout(5000)

test('paths, credentials and content types are those of Kubernetes', async (t) => {
  const { kubernetes, seen } = await setup(t, (_request, response) => reply(response, 200, node('a', '1')))
  await kubernetes.get(NODES, { name: 'a' })
  await kubernetes.create(SECRETS, 'ns', { metadata: { name: 'a' } })
  await kubernetes.patch(NODES, { name: 'a' }, { status: {} }, { type: 'strategic', subresource: 'status' })
  await kubernetes.delete(SECRETS, { namespace: 'ns', name: 'a' }, { uid: 'u1' })
  const asked = { kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1' }
  await kubernetes.createBelow(SERVICE_ACCOUNTS, { namespace: 'ns', name: 'a' }, 'token', asked)
  assert.deepEqual(seen, [
    'GET /base/api/v1/nodes/a',
    'POST /base/api/v1/namespaces/ns/secrets application/json {"apiVersion":"v1","kind":"Secret","metadata":{"name":"a"}}',
    'PATCH /base/api/v1/nodes/a/status application/strategic-merge-patch+json {"status":{}}',
    'DELETE /base/api/v1/namespaces/ns/secrets/a application/json {"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u1"}}',
    'POST /base/api/v1/namespaces/ns/serviceaccounts/a/token application/json {"kind":"TokenRequest","apiVersion":"authentication.k8s.io/v1"}',
  ])
})

test('a review is asked at its own path, and answered by its status, which has no name', async (t) => {
  let answer: object = { kind: 'TokenReview', metadata: {}, status: { authenticated: false } }
  const { kubernetes, seen } = await setup(t, (_request, response) => reply(response, 201, answer))
  assert.deepEqual(await kubernetes.review(TOKEN_REVIEWS, { token: 'a' }), { authenticated: false })
  assert.deepEqual(seen, [
    'POST /base/apis/authentication.k8s.io/v1/tokenreviews application/json {"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","metadata":{},"spec":{"token":"a"}}',
  ])
  answer = { kind: 'TokenReview', metadata: {} }
  await assert.rejects(kubernetes.review(TOKEN_REVIEWS, { token: 'a' }), { code: 'HUB_KUBERNETES_MALFORMED' })
})

test('a name that would lead to another path reaches no API', async (t) => {
  const { kubernetes, seen } = await setup(t, (_request, response) => reply(response, 200, node('a', '1')))
  for (const name of ['', '.', '..']) {
    const refused = { code: 'HUB_KUBERNETES_NAME' }
    await assert.rejects(kubernetes.get(NODES, { name }), refused)
    await assert.rejects(kubernetes.delete(SECRETS, { namespace: name, name: 'a' }), refused)
    await assert.rejects(kubernetes.create(SECRETS, name, {}), refused)
  }
  assert.deepEqual(seen, [])
})

test('what the API refuses has its reason, and says whether trying again helps', async (t) => {
  const { kubernetes, server } = await setup(t, (request, response) =>
    reply(response, Number(request.url?.split('/').at(-1)), { reason: 'Because', message: 'in words' }),
  )
  const failure = (status: string) =>
    kubernetes.patch(NODES, { name: status }, {}, { type: 'merge' }).catch((e: unknown) => e)
  for (const [status, name] of [
    ['409', 'ConflictError'],
    ['429', 'UnavailableError'],
    ['503', 'UnavailableError'],
    ['422', 'RefusedError'],
  ] as const) {
    const error = await failure(status)
    assert.ok(error instanceof Error)
    assert.deepEqual([error.name, reasonOfError(error)], [name, 'Because'])
  }
  server.closeAllConnections()
  server.close()
  const unreachable = await failure('409')
  assert.ok(unreachable instanceof Error && 'code' in unreachable)
  assert.equal(unreachable.code, 'HUB_KUBERNETES_UNREACHABLE')
})

test('an API that throttles says for how long', async (t) => {
  const asked = ['7', '', 'Fri, 07 Aug 2026 12:00:00 GMT', '-3', '99999999']
  const { kubernetes } = await setup(t, (_request, response) => {
    response.setHeader('retry-after', asked.shift() ?? '')
    reply(response, 429, { kind: 'Status' })
  })
  const heard: unknown[] = []
  while (asked.length > 0) {
    const patched = kubernetes.patch(NODES, { name: 'a' }, { status: {} }, { type: 'merge' })
    heard.push(retryAfterOf(await patched.catch((error: unknown) => error)))
  }
  assert.deepEqual(heard, [7000, undefined, undefined, undefined, undefined])
})

test('a list is read page by page, and a missing object is nothing', async (t) => {
  const { kubernetes } = await setup(t, (request, response) => {
    if (request.url?.includes('/nodes/')) return reply(response, 404, { reason: 'NotFound' })
    const second = request.url?.includes('continue=more')
    reply(response, 200, {
      metadata: { resourceVersion: '7', ...(second ? {} : { continue: 'more' }) },
      items: [second ? node('b', '2') : node('a', '1'), 'rubbish'],
    })
  })
  const list = await kubernetes.list(NODES, {})
  assert.deepEqual([list.items.map(({ metadata }) => metadata.name), list.resourceVersion], [['a', 'b'], '7'])
  assert.equal(list.items[0]?.kind, 'Node')
  assert.equal(await kubernetes.get(NODES, { name: 'x' }), undefined)
})

const strange: readonly (readonly [what: string, body: string])[] = [
  ['a page for people', '<html>we are back soon</html>'],
  ['half a list', '{"kind":"NodeList","metadata":{"resourceVersion":"7"},"items":['],
  ['JSON of somebody else', '{"status":"ok"}'],
  ['a list that does not say of when', '{"kind":"NodeList","metadata":{},"items":[]}'],
]
for (const [what, body] of strange) {
  test(`${what} in place of an answer is no empty list, no object and no deletion`, async (t) => {
    const { kubernetes } = await setup(t, (_request, response) => response.writeHead(200).end(body))
    const unavailable = { name: 'UnavailableError', code: 'HUB_KUBERNETES_UNAVAILABLE' }
    await assert.rejects(kubernetes.list(NODES, {}), unavailable)
    if (!body.endsWith('}'))
      await assert.rejects(kubernetes.delete(SECRETS, { namespace: 'a', name: 'b' }), unavailable)
    await assert.rejects(kubernetes.get(NODES, { name: 'a' }))
  })
}

for (const body of ['<html>\nback soon\n', '{"kind":"Status","status":"Failure"}\n'])
  test(`a watch that answers with ${body.trim()} has failed`, async (t) => {
    const { kubernetes } = await setup(t, (_request, response) => response.writeHead(200).end(body))
    const watching = (async () => {
      for await (const event of kubernetes.watch(NODES, { resourceVersion: '1' }, signal())) {
        assert.equal(event.type, 'BOOKMARK')
      }
    })()
    await assert.rejects(watching, { code: 'HUB_KUBERNETES_UNAVAILABLE' })
  })

test('an informer lists, follows the watch over chunk borders and reconnects, and lists anew when its version expired', async (t) => {
  let lists = 0
  let watches = 0
  const versions: string[] = []
  const { kubernetes } = await setup(t, (request, response) => {
    const query = new URL(request.url ?? '', 'http://x').searchParams
    if (query.get('watch') !== 'true') {
      lists++
      const items = lists === 1 ? [node('a', '1'), node('b', '2')] : [node('d', '20')]
      return reply(response, 200, { metadata: { resourceVersion: String(lists * 10) }, items })
    }
    versions.push(query.get('resourceVersion') ?? '')
    watches++
    response.writeHead(200)
    if (watches === 1) {
      const line = `${JSON.stringify({ type: 'ADDED', object: node('c', '11') })}\n`
      response.write(line.slice(0, 20))
      response.write(`${line.slice(20)}${JSON.stringify({ type: 'DELETED', object: node('b', '12') })}\n`)
      response.end(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '15' } } })}\n`)
    } else if (watches === 2) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: { code: 410, reason: 'Expired' } })}\n`)
    }
  })
  const stop = new AbortController()
  const ports = { kubernetes, clock: systemClock, random: systemRandom, log: silentLogger }
  const informer = createInformer(NODES, {}, ports)
  const story: string[] = []
  const { promise: relisted, resolve } = Promise.withResolvers<void>()
  informer.onChange((now, before) => {
    story.push(`${before?.metadata.name ?? '-'}>${now?.metadata.name ?? '-'}`)
    if (now?.metadata.name === 'd') resolve()
  })
  const running = informer.run(stop.signal)
  await informer.synced(signal())
  await relisted
  assert.deepEqual(story, ['->a', '->b', '->c', 'b>-', 'a>-', 'c>-', '->d'])
  assert.deepEqual(versions.slice(0, 2), ['10', '15'])
  stop.abort(new Error('stop'))
  await running
})

test('an informer lists anew where the API went back to a backup, and knows no version as great as that of the watch', async (t) => {
  let lists = 0
  const { kubernetes } = await setup(t, (request, response) => {
    const isWatch = request.url?.includes('watch=true') === true
    if (!isWatch) {
      lists++
      const [name, version] = lists === 1 ? ['a', '900'] : ['b', '7']
      return reply(response, 200, { metadata: { resourceVersion: version }, items: [node(name, version)] })
    }
    if (lists > 1) return void response.writeHead(200).write('\n')
    const message = 'Too large resource version: 900, current: 7'
    const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }]
    reply(response, 504, { kind: 'Status', reason: 'Timeout', code: 504, message, details: { causes } })
  })
  const stop = new AbortController()
  const informer = createInformer(
    NODES,
    {},
    { kubernetes, clock: systemClock, random: systemRandom, log: silentLogger },
  )
  const { promise: found, resolve } = Promise.withResolvers<void>()
  informer.onChange((now) => now?.metadata.name === 'b' && resolve())
  const running = informer.run(stop.signal)
  await found
  assert.deepEqual(
    informer.list().map(({ metadata }) => metadata.name),
    ['b'],
  )
  stop.abort(new Error('stop'))
  await running
})

test('a watch that falls silent ends as unavailable', async (t) => {
  const clock = new FakeClock()
  const opened = Promise.withResolvers<void>()
  const { kubernetes } = await setup(
    t,
    (_request, response) => {
      response.writeHead(200)
      response.write('\n')
      opened.resolve()
    },
    clock,
  )
  const { signal: never } = new AbortController()
  const watching = (async () => {
    for await (const event of kubernetes.watch(NODES, { resourceVersion: '1' }, never)) {
      assert.deepEqual(event, { type: 'BOOKMARK', resourceVersion: '1' }, 'it was heard, and tells nothing')
    }
  })()
  const failed = assert.rejects(watching, { code: 'HUB_KUBERNETES_UNREACHABLE' })
  await opened.promise
  await clock.advance(seconds(101))
  await failed
})

test('an unusable kubeconfig is the author’s to change', async () => {
  const open = kubernetesFromConfig({ text: '{}' }, { clock: systemClock, log: silentLogger })
  await assert.rejects(open, { code: 'HUB_KUBECONFIG_INVALID' })
})
