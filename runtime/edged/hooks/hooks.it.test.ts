import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { closedPort, httpServer, httpsServer, rawServer } from '../testing/probed-servers.ts'
import { firstContainer, testPod } from '../testing/test-pod.ts'
import { createHooks } from './create-hooks.ts'

const FAILED = 'HTTP lifecycle hook (/drain) for Container "app" in Pod "till_shop(u-1)" failed - error: '
const hooks = createHooks({
  runtime: { execSync: () => Promise.reject(new Error('no commands here')) },
  clock: systemClock,
})

function run(get: JsonObject, signal = new AbortController().signal) {
  const pod = testPod({ lifecycle: { preStop: { httpGet: { path: '/drain', ...get } } } })
  const container = firstContainer(pod)
  assert.ok(container.lifecycle.preStop)
  return hooks.run(container.lifecycle.preStop, { pod, container, containerId: 'c-1', podIp: '127.0.0.1' }, signal)
}

test('a hook by HTTP is done with any answer, and fails without one', { timeout: 30_000 }, async (t) => {
  const agents: (string | undefined)[] = []
  const server = await httpServer(({ headers }, answer) => {
    agents.push(headers['user-agent'])
    answer.writeHead(500).end()
  })
  t.after(() => server[Symbol.asyncDispose]())
  await run({ port: server.port })
  assert.match(agents[0] ?? '', /^kube-lifecycle\/1\.\d+$/)
  const port = await closedPort()
  const refused = `${FAILED}Get "http://127.0.0.1:${port}/drain": dial tcp 127.0.0.1:${port}: connect: connection refused`
  await assert.rejects(run({ port }), { code: 'EDGED_HOOK_FAILED', message: refused })
  await assert.rejects(run({ port: 'web' }), {
    message: `${FAILED}port web not found: no port of container app has that name`,
  })
})

test('a hook by HTTPS takes any certificate, and goes on in the clear without what is secret', {
  timeout: 30_000,
}, async (t) => {
  const secure = await httpsServer((_, answer) => void answer.end())
  t.after(() => secure[Symbol.asyncDispose]())
  await run({ port: secure.port, scheme: 'HTTPS' })
  const seen: unknown[] = []
  const plain = await httpServer(({ headers }, answer) => {
    seen.push(headers.authorization, headers['x-key'])
    answer.end()
  })
  t.after(() => plain[Symbol.asyncDispose]())
  const httpHeaders = [
    { name: 'Authorization', value: 'Basic c2VjcmV0' },
    { name: 'X-Key', value: '1' },
  ]
  await run({ port: plain.port, scheme: 'HTTPS', httpHeaders })
  assert.deepEqual(seen, [undefined, '1'])
})

test('the deadline of a hook ends it', { timeout: 30_000 }, async (t) => {
  const end = new AbortController()
  const silent = await rawServer((socket) => socket.once('data', () => end.abort(new Error('grace is over'))))
  t.after(() => silent[Symbol.asyncDispose]())
  await assert.rejects(run({ port: silent.port }, end.signal), { message: `${FAILED}context deadline exceeded` })
})
