import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { podOf } from '../testing/pods.ts'
import { qosClass } from './qos.ts'

const FULL = { cpu: '1', memory: '1Gi' }
const container = (resources: JsonObject, name = 'app'): JsonObject => ({ name, image: 'a', resources })
const limited = (limits: JsonObject, requests: JsonObject = limits) => container({ limits, requests })

test('a pod has the class that Kubernetes gives it', () => {
  const cases: readonly (readonly [string, readonly JsonObject[], readonly JsonObject[], string])[] = [
    ['nothing asked', [container({})], [], 'BestEffort'],
    ['zero asked', [limited({ cpu: '0', memory: 0 })], [], 'BestEffort'],
    ['other things asked', [limited({ 'ephemeral-storage': '1Gi', 'hugepages-2Mi': '2Mi' })], [], 'BestEffort'],
    ['all limited', [limited(FULL)], [], 'Guaranteed'],
    ['the same in other words', [limited({ cpu: '1000m', memory: '1024Mi' }, FULL)], [], 'Guaranteed'],
    ['less asked than limited', [limited(FULL, { cpu: '1', memory: '1Mi' })], [], 'Burstable'],
    ['limits alone', [container({ limits: FULL })], [], 'Burstable'],
    ['asked alone', [container({ requests: FULL })], [], 'Burstable'],
    ['memory alone', [limited({ memory: '1Gi' })], [], 'Burstable'],
    ['a limit of zero', [limited({ ...FULL, cpu: 0 })], [], 'Burstable'],
    ['an init container without', [limited(FULL)], [container({}, 'first')], 'Burstable'],
    ['an init container that asks', [container({})], [container({ requests: FULL }, 'first')], 'Burstable'],
    [
      'an init container that is limited',
      [limited(FULL)],
      [container({ limits: FULL, requests: FULL }, 'first')],
      'Guaranteed',
    ],
  ]
  for (const [what, containers, initContainers, qos] of cases) {
    assert.equal(qosClass(podOf({ containers, initContainers }).spec), qos, what)
  }
})
