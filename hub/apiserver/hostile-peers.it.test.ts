import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../platform/health/index.ts'
import { answers, dialTls, standAttacks, standSlowPeers, type Target } from '../../platform/http/testing/index.ts'
import { minutes } from '../../platform/time/index.ts'
import { ForwardClock } from '../../platform/time/testing/index.ts'
import { serveTestApi } from './testing/serve.ts'

test('hostile peers of the embedded API are refused, and kubectl is served meanwhile', async (t) => {
  const clock = new ForwardClock()
  const metrics = createMetrics()
  const api = await serveTestApi(t, { clock, metrics })
  const { certificate: cert, privateKey: key } = api.pki.admin
  const connect = () => dialTls(Number(new URL(api.url).port), { ca: api.pki.ca, cert, key })
  const target: Target = {
    connect,
    request: {
      method: 'POST',
      path: '/api/v1/namespaces/default/configmaps',
      headers: ['Content-Type: application/json'],
    },
    serves: () => answers({ connect, request: { method: 'GET', path: '/api/v1/namespaces/default' } }, 200),
  }
  await standAttacks(target)
  await standSlowPeers(target, { clock, body: minutes(1) })
  assert.match(await metrics.text(), /skerry_http_refused_total\{server="kubernetes-api",cause="slow"\} [6-9]/)
})
