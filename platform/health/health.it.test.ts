import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { ModuleState } from '../lifecycle/module-states.ts'
import { createMetrics, serveHealth } from './index.ts'

test('counts, gauges and observes under one registry, with the process and the build', async () => {
  const metrics = createMetrics({ version: '1.2.3' })
  metrics.counter({ name: 'skerry_a_total', help: 'A.', labels: ['kind'] }).add(2, { kind: 'x' })
  metrics.counter({ name: 'skerry_a_total', help: 'A.', labels: ['kind'] }).add(1, { kind: 'x' })
  const gauge = metrics.gauge({ name: 'skerry_b', help: 'B.', labels: ['queue'] })
  const following = gauge.follow(() => 7, { queue: 'q' })
  metrics.histogram({ name: 'skerry_c_seconds', help: 'C.', buckets: [1] }).observe(0.5)
  const text = await metrics.text()
  assert.match(text, /^skerry_a_total\{kind="x"\} 3$/m)
  assert.match(text, /^skerry_b\{queue="q"\} 7$/m)
  assert.match(text, /^skerry_c_seconds_bucket\{le="1"\} 1$/m)
  assert.match(text, /^skerry_build_info\{version="1\.2\.3",node="v[\d.]+"\} 1$/m)
  assert.match(text, /^process_resident_memory_bytes \d/m)
  following[Symbol.dispose]()
  assert.doesNotMatch(await metrics.text(), /^skerry_b\{/m)
})

test('one name with two declarations is a bug', () => {
  const metrics = createMetrics()
  metrics.counter({ name: 'skerry_a_total', help: 'A.' })
  assert.throws(() => metrics.gauge({ name: 'skerry_a_total', help: 'A.' }), { code: 'PLATFORM_METRIC_TWICE' })
  assert.throws(() => metrics.counter({ name: 'skerry_a_total', help: 'A.', labels: ['x'] }), {
    code: 'PLATFORM_METRIC_TWICE',
  })
})

test('says whether it lives, whether it is ready and why not', async (t) => {
  const states: ModuleState[] = [{ name: 'store', state: 'ready', sinceMs: 1 }]
  const url = await start(t, states)
  const ask = async (path: string, method = 'GET') => {
    const response = await fetch(`${url}${path}`, { method })
    return [response.status, await response.text()]
  }
  assert.deepEqual(await ask('/healthz'), [200, 'ok\n'])
  assert.deepEqual(await ask('/readyz'), [200, 'ready\n'])
  states.push({ name: 'hub', state: 'restarting', sinceMs: 1, pending: 'restart in 5 ms', detail: 'refused' })
  assert.deepEqual(await ask('/healthz'), [200, 'ok\n'])
  assert.deepEqual(await ask('/readyz'), [503, 'not ready\n'])
  const list = '[+] store ready\n[-] hub restarting (pending: restart in 5 ms): refused\nnot ready\n'
  assert.deepEqual(await ask('/readyz?verbose'), [503, list])
  states.length = 0
  assert.deepEqual(await ask('/readyz'), [503, 'not ready\n'])
})

test('serves metrics to GET and HEAD, and nothing else', async (t) => {
  const url = await start(t, [])
  const metrics = await fetch(`${url}/metrics`)
  assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
  assert.match(await metrics.text(), /skerry_build_info/)
  assert.equal((await fetch(`${url}/metrics`, { method: 'HEAD' })).status, 200)
  assert.equal((await fetch(`${url}/metrics`, { method: 'POST', body: 'x' })).status, 405)
  assert.equal((await fetch(`${url}/`)).status, 404)
})

async function start(t: TestContext, states: readonly ModuleState[]): Promise<string> {
  const health = await serveHealth({ port: 0, metrics: createMetrics(), states: () => states })
  t.after(() => health.close())
  return health.url
}
