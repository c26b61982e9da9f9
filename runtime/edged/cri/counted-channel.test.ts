import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../platform/health/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { countedChannel } from './counted-channel.ts'

test('calls are counted by method, those that failed as well, and those that were called off as calls alone', async () => {
  const metrics = createMetrics()
  const channel = countedChannel(
    {
      async call(method) {
        if (method === 'Version') return { version: 'v1' }
        throw new Error('no')
      },
      stream: () => {
        throw new Error('no')
      },
      [Symbol.dispose]: () => undefined,
    },
    metrics,
  )
  assert.deepEqual(await channel.call('Version', {}, seconds(1), undefined), { version: 'v1' })
  await assert.rejects(channel.call('Status', {}, seconds(1), undefined), /no/)
  await assert.rejects(channel.call('Status', {}, seconds(1), AbortSignal.abort()), /no/)
  const text = await metrics.text()
  assert.match(text, /skerry_edged_runtime_calls_total\{method="Version"\} 1/)
  assert.match(text, /skerry_edged_runtime_calls_total\{method="Status"\} 2/)
  assert.match(text, /skerry_edged_runtime_call_failures_total\{method="Status"\} 1/)
  assert.doesNotMatch(text, /failures_total\{method="Version"\}/)
})
