import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HttpGet } from '../pod/schema/actions.ts'
import { httpServer } from '../testing/probed-servers.ts'
import { hostAndPort, hostOf, portOf } from './address.ts'
import { type HttpTarget, httpGet } from './http-get.ts'

const target: HttpTarget = { container: { name: 'app', ports: [] }, podIp: '127.0.0.1', as: 'kube-probe' }
const action = (port: number): HttpGet => ({ path: '/', port, scheme: 'HTTP', httpHeaders: [] })

test('an abort ends the reading of a body with its reason, and the connection with it', {
  timeout: 30_000,
}, async (t) => {
  const server = await httpServer((_, answer) => void answer.writeHead(200).write('1'))
  t.after(() => server[Symbol.asyncDispose]())
  const end = new AbortController()
  const answer = await httpGet(action(server.port), target, end.signal)
  assert.equal(answer.status, 200)
  const body = answer.text()
  end.abort('too late')
  await assert.rejects(body, (reason) => reason === 'too late')
  while (server.open > 0) await new Promise((resolve) => setImmediate(resolve))
  await assert.rejects(httpGet(action(server.port), target, end.signal), (reason) => reason === 'too late')
  assert.equal(server.connections, 1)
})

test('ports have numbers or the names of the container, and hosts are the pod’s unless they are named', () => {
  const container = { name: 'app', ports: [{ name: 'web', containerPort: 8080, protocol: 'TCP' as const }] }
  assert.deepEqual([portOf(80, container), portOf('web', container), portOf('81', container)], [80, 8080, 81])
  for (const none of ['db', '0', '65536', '8 0']) {
    assert.throws(() => portOf(none, container), { code: 'EDGED_NO_SUCH_PORT' })
  }
  assert.deepEqual([hostOf(undefined, 'fd00::1'), hostOf('db', '10.0.0.1')], ['fd00::1', 'db'])
  assert.throws(() => hostOf('', ''), { code: 'EDGED_NO_ADDRESS' })
  assert.deepEqual([hostAndPort('fd00::1', 80), hostAndPort('10.0.0.1', 80)], ['[fd00::1]:80', '10.0.0.1:80'])
})
