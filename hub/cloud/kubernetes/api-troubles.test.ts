import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../platform/health/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom, pumpDevice } from '../testing/harness.ts'
import { ApiTroubles, newsOf } from './api-troubles.ts'
import { errorOfStatus } from './errors.ts'
import { createInformer } from './informer.ts'
import { DEVICES } from './resources.ts'

test('what the API does not do is named with the first reason, told once, and timed, until it does all again', async () => {
  const clock = new FakeClock()
  const log = memoryLogger()
  const metrics = createMetrics()
  const troubles = new ApiTroubles({ clock, log, metrics })
  const shown: (string | undefined)[] = []
  troubles.onChange = (waitsFor) => shown.push(waitsFor)
  const [devices, nodes] = ['news of Device', 'news of Node']
  troubles.answered(devices)
  const unreachable = new UnavailableError('Kubernetes cannot be reached', {
    code: 'HUB_KUBERNETES_UNREACHABLE',
    cause: new Error('connect ECONNREFUSED'),
  })
  for (let count = 0; count < 10; count++) troubles.failed(devices, unreachable)
  troubles.failed(nodes, errorOfStatus(429, { message: 'too many requests' }, {}))
  await clock.advance(seconds(90))
  assert.match(await metrics.text(), /^skerry_kubernetes_trouble_seconds 90$/m)
  troubles.answered(devices)
  troubles.answered(devices)
  troubles.answered(nodes)
  assert.deepEqual(shown, [
    'the Kubernetes API, for news of Device (Kubernetes cannot be reached: connect ECONNREFUSED)',
    'the Kubernetes API, for news of Device and 1 more (Kubernetes cannot be reached: connect ECONNREFUSED)',
    'the Kubernetes API, for news of Node (Kubernetes cannot answer now: too many requests)',
    undefined,
  ])
  assert.match(await metrics.text(), /^skerry_kubernetes_trouble_seconds 0$/m)
  assert.deepEqual(log.messages('warn'), Array(2).fill('The Kubernetes API is in trouble'))
  assert.deepEqual(log.messages('info'), Array(2).fill('The Kubernetes API answers again'))
})

test('what is asked for again and again is named before what may be over', () => {
  const troubles = new ApiTroubles({ clock: new FakeClock(), log: silentLogger })
  const shown: (string | undefined)[] = []
  troubles.onChange = (waitsFor) => shown.push(waitsFor)
  troubles.failed('writes of Event', new Error('away'), seconds(300))
  troubles.failed('news of Rule', new Error('forbidden'))
  troubles.failed('news of Rule', new Error('forbidden'))
  assert.deepEqual(shown, [
    'the Kubernetes API, for writes of Event (away)',
    'the Kubernetes API, for news of Rule and 1 more (forbidden)',
  ])
})

test('an API that was not reached is so for nobody any more when it answers one', () => {
  const troubles = new ApiTroubles({ clock: new FakeClock(), log: silentLogger })
  const away = new UnavailableError('Kubernetes cannot be reached', { code: 'HUB_KUBERNETES_UNREACHABLE' })
  troubles.failed('writes of Event', away, seconds(300))
  troubles.failed('writes of Pod', errorOfStatus(403, {}, {}), seconds(300))
  troubles.answered('news of Node')
  assert.match(troubles.text ?? '', /^the Kubernetes API, for writes of Pod \(/)
})

test('a trouble of somebody who may never ask again is forgotten after a while', async () => {
  const clock = new FakeClock()
  const troubles = new ApiTroubles({ clock, log: silentLogger })
  const error = errorOfStatus(403, { message: 'exceeded quota' }, {})
  troubles.failed('writes of Pod', error, seconds(300))
  await clock.advance(seconds(200))
  troubles.failed('writes of Pod', error, seconds(300))
  await clock.advance(seconds(200))
  assert.match(troubles.text ?? '', /writes of Pod .*exceeded quota/)
  await clock.advance(seconds(101))
  assert.equal(troubles.text, undefined)
})

test('the API is silent when it tells of none of the kinds in question', () => {
  const troubles = new ApiTroubles()
  const kinds = ['Device', 'Node', 'Device']
  assert.equal(troubles.isSilentOn(kinds), false)
  troubles.failed(newsOf('Device'), errorOfStatus(404, {}, {}))
  assert.equal(troubles.isSilentOn(kinds), false, 'a definition is missing')
  troubles.failed(newsOf('Node', 'default'), errorOfStatus(500, {}, {}))
  assert.equal(troubles.isSilentOn(kinds), true)
  troubles.answered(newsOf('Node', 'default'))
  assert.equal(troubles.isSilentOn(kinds), false)
})

test('an informer whose API is away says so, and takes it back when it is told of something', async () => {
  const clock = new FakeClock()
  const kubernetes = new FakeKubernetes()
  const troubles = new ApiTroubles({ clock, log: silentLogger })
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
