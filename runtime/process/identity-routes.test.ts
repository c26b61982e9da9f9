import assert from 'node:assert/strict'
import { test } from 'node:test'
import { JoinTokens } from '../../hub/cloud/authority/join-tokens.ts'
import { FakeKubernetes } from '../../hub/cloud/testing/fake-kubernetes.ts'
import { seconds, systemRandom } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import { identityRoutes } from './identity-routes.ts'

test('where the Kubernetes API hangs, who asks is told so, before he takes the cloud half for dead', async () => {
  const clock = new FakeClock()
  const kubernetes = new FakeKubernetes()
  kubernetes.get = () => new Promise(() => undefined)
  const tokens = new JoinTokens({ kubernetes, clock, random: systemRandom }, 'ab', () => ({}))
  const register = {
    entries: new Map([['edge-1', {}]]),
    isHeld: () => true,
    list: () => [],
    revoke: () => new Promise<number>(() => undefined),
    allow: () => new Promise<boolean>(() => undefined),
  }
  const routes = identityRoutes({
    authority: { current: { caHash: 'ab', tokens } },
    register,
    clock,
    isConnected: () => true,
  })
  const { signal } = new AbortController()
  const bodies = { 'POST /tokens': { ttlMs: 1000 }, 'POST /tokens/revoke': { id: 'abcd' } }
  const asking = [
    'POST /tokens',
    'GET /tokens',
    'POST /tokens/revoke',
    'POST /tokens/rotate',
    'POST /nodes/revoke',
    'POST /nodes/allow',
  ]
  const answers = asking.map((route) => {
    const body = Reflect.get(bodies, route) ?? { node: 'edge-1' }
    return assert.rejects(routes[route]?.(body, signal) ?? Promise.resolve(), { code: 'PROCESS_API_SILENT' }, route)
  })
  await clock.advance(seconds(9))
  await Promise.all(answers)
})
