import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { testAuthority, testIdentity } from '../../../../platform/certificates/testing/index.ts'
import { listen } from '../../../../platform/http/index.ts'
import { standAnswers } from '../../../../platform/http/testing/index.ts'
import { minutes, seconds } from '../../../../platform/time/index.ts'
import { ForwardClock } from '../../../../platform/time/testing/index.ts'
import type { LiveRule } from '../rules/live-rule.ts'
import { settingsOf } from '../rules/rule-settings.ts'
import { endpoint, rule } from '../testing/rules.ts'
import { RestTargets } from './rest-target.ts'

const MOST_BYTES = 1024 * 1024
const DEADLINE = seconds(30)
const GET = { method: 'GET', headers: {}, body: Buffer.alloc(0) }

for (const scheme of ['http', 'https'] as const) {
  for (const isFresh of [false, true]) {
    const how = `${scheme}${isFresh ? ', over a connection of its own' : ''}`
    test(`hostile answers of web services are told, and others go on (${how})`, { timeout: 120_000 }, async (t) => {
      const clock = new ForwardClock()
      const targets = new RestTargets(clock)
      t.after(() => targets[Symbol.dispose]())
      const authority = await testAuthority()
      const tls = await testIdentity(authority, { commonName: 'service' }, ['serverAuth'])
      const good = await goodService(t)
      const call = (url: string, ca?: string) => {
        const options = { deadline: DEADLINE, signal: new AbortController().signal, mostBytes: MOST_BYTES, isFresh }
        return targets.call(to(url, ca), GET, options)
      }
      await standAnswers({
        ask: (port) =>
          call(`${scheme}://127.0.0.1:${port}/`, scheme === 'https' ? authority.certificatePem : undefined),
        ...(scheme === 'https' ? { tls } : {}),
        ...{ clock, deadline: DEADLINE, mostBytes: MOST_BYTES },
        serves: async () => assert.equal((await call(`http://127.0.0.1:${good}/`)).body.toString(), 'good'),
      })
    })
  }
}

test('of an answer whose status is all that is wanted, a body without end is let go of', async (t) => {
  const clock = new ForwardClock()
  const targets = new RestTargets(clock)
  t.after(() => targets[Symbol.dispose]())
  const server = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf'))
  })
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  const connection = once(server, 'connection')
  const options = { deadline: DEADLINE, signal: new AbortController().signal, mostBytes: 0 }
  assert.equal((await targets.call(to(`http://127.0.0.1:${portOf(server)}/`), GET, options)).status, 200)
  const [socket] = await connection
  const closed = once(socket, 'close')
  await clock.advance(minutes(1))
  await closed
})

function to(url: string, ca?: string): LiveRule {
  const properties = ca === undefined ? {} : { ca }
  const asked = rule('eventbus->rest', { topic: 'a', node_name: 'edge-1' }, { resource: url })
  return {
    key: 'shop/lights',
    rule: asked,
    source: endpoint('eventbus', 'eventbus'),
    target: endpoint('rest', 'rest', properties),
    settings: settingsOf(asked),
  }
}

async function goodService(t: TestContext): Promise<number> {
  const server = createServer((_request, response) => void response.setHeader('connection', 'close').end('good'))
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return portOf(server)
}

function portOf(server: { address(): unknown }): number {
  const address = server.address()
  return typeof address === 'object' && address !== null && 'port' in address ? Number(address.port) : 0
}
