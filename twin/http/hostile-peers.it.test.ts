import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../platform/health/index.ts'
import { answers, dial, standAttacks, standSlowPeers, type Target } from '../../platform/http/testing/index.ts'
import { createScope } from '../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../platform/log/testing/index.ts'
import { minutes, seconds, systemRandom } from '../../platform/time/index.ts'
import { ForwardClock } from '../../platform/time/testing/index.ts'
import { lamp, lampModel, startTwins } from '../testing/edge.ts'
import type { Access } from './caller.ts'
import { createLocalApiModule } from './module.ts'

const access: Access = {
  follow: () => ({ [Symbol.dispose]: () => undefined }),
  identify: async () => ({ user: 'anna', rights: { mayHear: () => true, refusePublish: () => undefined } }),
}

test('hostile peers of the local HTTP API are refused, and others read and set twins meanwhile', async (t) => {
  const clock = new ForwardClock()
  const edge = await startTwins(t, { devices: [[lamp(), lampModel()]] })
  const log = memoryLogger()
  const scope = createScope('LocalApi', { clock, log, deadline: seconds(5), onCrash: assert.ifError })
  t.after(() => scope[Symbol.asyncDispose]())
  const module = createLocalApiModule({
    ...{
      host: '127.0.0.1',
      port: 0,
      origins: [],
      names: [],
      maxBodyBytes: 10_000,
      maxStreams: 4,
      pods: { maxConnections: 16, maxRequests: 8, maxStreams: 4 },
    },
    ...{ access, bus: edge.bus, version: '1.2.3', clock, random: systemRandom, log, metrics: createMetrics() },
  })
  await module.start(scope)
  const connect = () => dial({ host: '127.0.0.1', port: Number(new URL(module.url ?? '').port) })
  const path = '/v1/devices/default/lamp'
  const target: Target = {
    connect,
    request: { method: 'PATCH', path: `${path}/desired`, headers: ['Content-Type: application/json'] },
    serves: () => answers({ connect, request: { method: 'GET', path } }, 200),
  }
  await standAttacks(target)
  await standSlowPeers(target, { clock, body: minutes(1) })
})
