import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CONFIG_MAPS } from '../kubernetes/resources.ts'
import { FakeKubernetes } from '../testing/fake-kubernetes.ts'
import { countingRandom } from '../testing/harness.ts'
import { openCloudEpoch } from './cloud-epoch.ts'

const { signal } = new AbortController()
const AT = { namespace: 'kubeedge', name: 'skerry-cloud' }

test('the epoch of the cloud is made once, and another API has another one', async () => {
  const random = countingRandom()
  const kubernetes = new FakeKubernetes()
  const first = await openCloudEpoch({ kubernetes, random }, signal)
  assert.equal(await openCloudEpoch({ kubernetes, random }, signal), first)
  assert.notEqual(await openCloudEpoch({ kubernetes: new FakeKubernetes(), random }, signal), first)
  await kubernetes.delete(CONFIG_MAPS, AT)
  assert.notEqual(await openCloudEpoch({ kubernetes, random }, signal), first)
})

test('replicas that start together have one epoch', async () => {
  const random = countingRandom()
  const kubernetes = new FakeKubernetes()
  const all = await Promise.all([1, 2, 3].map(() => openCloudEpoch({ kubernetes, random }, signal)))
  assert.equal(new Set(all).size, 1)
})

test('a ConfigMap that somebody emptied gets an epoch again', async () => {
  const random = countingRandom()
  const kubernetes = new FakeKubernetes()
  await kubernetes.create(CONFIG_MAPS, AT.namespace, { metadata: { name: AT.name } })
  const all = await Promise.all([1, 2].map(() => openCloudEpoch({ kubernetes, random }, signal)))
  assert.equal(new Set(all).size, 1)
  assert.notEqual(all[0], '')
})

test('an API that refuses is an error, not an epoch', async () => {
  const kubernetes = new FakeKubernetes()
  kubernetes.fail('POST configmaps', 403)
  await assert.rejects(openCloudEpoch({ kubernetes, random: countingRandom() }, signal), {
    code: 'HUB_KUBERNETES_REFUSED',
  })
})

test('an API that went back to a backup has another epoch, once', async () => {
  const random = countingRandom()
  const kubernetes = new FakeKubernetes()
  const first = await openCloudEpoch({ kubernetes, random, incarnation: 0 }, signal)
  assert.equal(await openCloudEpoch({ kubernetes, random }, signal), first)
  const second = await openCloudEpoch({ kubernetes, random, incarnation: 1 }, signal)
  assert.notEqual(second, first)
  assert.equal(await openCloudEpoch({ kubernetes, random, incarnation: 1 }, signal), second)
})
