import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentMetrics } from '../../../platform/health/index.ts'
import { minutes, seconds } from '../../../platform/time/index.ts'
import { nameOf, namespaceOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { unavailable } from '../../kube/status.ts'
import type { Admitter } from '../rest/context.ts'
import { startApiBench } from '../testing/api-bench.ts'
import { expiry } from './expiry.ts'

const configMap = (namespace: string, name: string): ApiObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
})

test('what is over goes at the next look, also where a try failed, and nothing else does', async () => {
  let isFull = true
  const full: Admitter = {
    mutate: async () => undefined,
    async validate({ operation }) {
      if (isFull && operation === 'DELETE') throw unavailable('the disk is full')
    },
  }
  await using bench = await startApiBench([], [full])
  for (const name of ['old', 'young']) await bench.create(configMap('default', name))
  await bench.create(configMap('kube-system', 'old'))
  const left = () =>
    bench.api.store
      .list('/configmaps')
      .map(([, map]) => `${namespaceOf(map)}/${nameOf(map)}`)
      .filter((each) => !each.endsWith('.crt'))
  const stop = new AbortController()
  const begin = bench.clock.now()
  const running = expiry(
    { api: bench.api, metrics: silentMetrics },
    {
      ...{ resource: '/configmaps', prefix: 'default/', every: minutes(1) },
      isOver: (map, now) => nameOf(map) === 'old' && now > begin + seconds(90).milliseconds,
    },
  ).run(stop.signal)
  await bench.clock.advance(minutes(2))
  assert.deepEqual(left(), ['default/old', 'default/young', 'kube-system/old'])
  isFull = false
  await bench.clock.advance(seconds(59))
  assert.equal(left().length, 3)
  await bench.clock.advance(seconds(1))
  assert.deepEqual(left(), ['default/young', 'kube-system/old'])
  stop.abort(new Error('the test is over'))
  await assert.rejects(running, /the test is over/)
})
