import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom, pumpDevice } from '../testing/harness.ts'
import { ApiTroubles } from './api-troubles.ts'
import { errorOfStatus } from './errors.ts'
import { createInformer } from './informer.ts'
import { DEVICES } from './resources.ts'

test('kinds that the API does not tell of are named with the first reason, until it tells of each again', () => {
  const troubles = new ApiTroubles()
  const shown: (string | undefined)[] = []
  troubles.onChange = (waitsFor) => shown.push(waitsFor)
  troubles.answered('Device')
  const unreachable = new UnavailableError('Kubernetes cannot be reached', {
    code: 'HUB_KUBERNETES_UNREACHABLE',
    cause: new Error('connect ECONNREFUSED'),
  })
  troubles.failed('Device', unreachable)
  troubles.failed('Node', errorOfStatus(429, { message: 'too many requests' }, {}))
  troubles.answered('Device')
  troubles.answered('Device')
  troubles.answered('Node')
  assert.deepEqual(shown, [
    'the Kubernetes API, for news of Device (Kubernetes cannot be reached: connect ECONNREFUSED)',
    'the Kubernetes API, for news of Device and 1 more kind (Kubernetes cannot be reached: connect ECONNREFUSED)',
    'the Kubernetes API, for news of Node (Kubernetes cannot answer now: too many requests)',
    undefined,
  ])
})

test('the API is silent when it tells of none of the kinds in question', () => {
  const troubles = new ApiTroubles()
  const kinds = ['Device', 'Node', 'Device']
  assert.equal(troubles.isSilentOn(kinds), false)
  troubles.failed('Device', errorOfStatus(404, {}, {}))
  assert.equal(troubles.isSilentOn(kinds), false, 'a definition is missing')
  troubles.failed('Node', errorOfStatus(500, {}, {}))
  assert.equal(troubles.isSilentOn(kinds), true)
  troubles.answered('Node')
  assert.equal(troubles.isSilentOn(kinds), false)
})

test('an informer whose API is away says so, and takes it back when it is told of something', async () => {
  const clock = new FakeClock()
  const kubernetes = new FakeKubernetes()
  const troubles = new ApiTroubles()
  const ports = { kubernetes, clock, random: countingRandom(), log: silentLogger, troubles }
  const informer = createInformer(DEVICES, {}, ports)
  const stop = new AbortController()
  kubernetes.fail('LIST devices', 503, 100, { message: 'away' })
  const running = informer.run(stop.signal)
  await clock.advance(seconds(1))
  assert.match(troubles.text ?? '', /^the Kubernetes API, for news of Device \(Kubernetes cannot answer now/)
  kubernetes.heal()
  await kubernetes.create(DEVICES, 'default', pumpDevice('pump-1', '1'))
  await clock.advance(seconds(20))
  assert.equal(troubles.text, undefined)
  assert.equal(informer.isSynced, true)
  stop.abort(new Error('over'))
  await running
})
