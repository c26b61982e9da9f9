import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answers, dial, standAttacks, standSlowPeers, type Target } from '../../../platform/http/testing/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { ForwardClock } from '../../../platform/time/testing/index.ts'
import { rule } from './testing/rules.ts'
import { startRouter } from './testing/start-router.ts'

const lights = rule('rest->eventbus', { path: '/lights' }, { topic: 'lights/cmd' })

test('hostile callers of the Router are refused, slow ones too, and no word of theirs reaches a node', async (t) => {
  const clock = new ForwardClock()
  const router = await startRouter(t, [lights], { clock })
  const edge = router.edge('edge-1', () => ({ content: 'OK' }))
  const connect = () => dial({ host: '127.0.0.1', port: router.router.port })
  const request = { method: 'POST', path: '/edge-1/shop/lights', headers: ['Authorization: Bearer ann'] }
  let served = 0
  const serves = async () => {
    served++
    await answers({ connect, request }, 200, 'on')
  }
  const target: Target = { connect, request, serves }
  const published = () => edge.received.filter(({ route }) => route.operation === 'publish')
  await standAttacks(target)
  // Those of which a good request came first are two; every other call is one of `serves`.
  assert.ok(published().length <= served + 2, `${published().length} calls of ${served}`)
  await standSlowPeers(target, { clock, body: seconds(15) })
  assert.match(await router.metrics(), /skerry_http_refused_total\{server="router",cause="slow"\} [4-9]/)
})
