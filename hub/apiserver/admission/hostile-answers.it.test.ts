import assert from 'node:assert/strict'
import { createServer } from 'node:https'
import { test } from 'node:test'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { listen } from '../../../platform/http/index.ts'
import { standAnswers } from '../../../platform/http/testing/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { ForwardClock } from '../../../platform/time/testing/index.ts'
import { createWebhookCaller } from './call.ts'

test('hostile answers of webhooks, of admission and of conversion, are told, and others go on', {
  timeout: 120_000,
}, async (t) => {
  const clock = new ForwardClock()
  const authority = await testAuthority()
  const tls = await testIdentity(authority, { commonName: 'webhook' }, ['serverAuth'])
  const server = createServer(
    tls,
    (_request, response) => void response.setHeader('connection', 'close').end('{"good":true}'),
  )
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  const good = typeof address === 'object' && address ? address.port : 0
  const call = createWebhookCaller({ clock, locate: () => assert.fail('no Service is asked for') })
  const ask = (port: number) => {
    const place = { url: `https://127.0.0.1:${port}/review`, ca: authority.certificatePem }
    return call(place, { request: {} }, { timeoutSeconds: 10, signal: new AbortController().signal })
  }
  await standAnswers({
    ...{ ask, tls, clock, deadline: seconds(10), mostBytes: 3 * 1024 * 1024 },
    serves: async () => assert.deepEqual(await ask(good), { good: true }),
  })
})
