import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answers, dial, standAttacks, standSlowPeers, type Target } from '../http/testing/index.ts'
import { ms } from '../time/index.ts'
import { ForwardClock } from '../time/testing/index.ts'
import { createMetrics, serveHealth } from './index.ts'

test('hostile peers of metrics and health are refused, and scrapes go on', async (t) => {
  const clock = new ForwardClock()
  const metrics = createMetrics()
  const server = await serveHealth({ port: 0, metrics, clock, states: () => [] })
  t.after(() => server.close(ms(0)))
  const connect = () => dial({ host: '127.0.0.1', port: server.port })
  const serves = () => answers({ connect, request: { method: 'GET', path: '/metrics' } }, 200)
  const target: Target = { connect, serves, request: { method: 'POST', path: '/metrics' }, tooLarge: [405] }
  await standAttacks(target)
  await standSlowPeers(target, { clock, head: ms(5000), body: undefined })
  assert.match(await metrics.text(), /skerry_http_refused_total\{server="health",cause="malformed"\} [1-9]/)
})
