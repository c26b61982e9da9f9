import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../../platform/log/index.ts'
import { seconds } from '../../../../platform/time/index.ts'
import { FakeClock } from '../../../../platform/time/testing/index.ts'
import type { KubeObject } from '../../../../schemas/index.ts'
import type { ListOptions, ResourceType } from '../../kubernetes/index.ts'
import { PODS } from '../../kubernetes/resources.ts'
import { shopPod } from '../../testing/edge-controller-bench.ts'
import { FakeKubernetes } from '../../testing/fake-kubernetes.ts'
import { countingRandom } from '../../testing/harness.ts'
import { PodCache } from './pod-cache.ts'

/** Lists of one node wait for `release`. */
class SlowKubernetes extends FakeKubernetes {
  #held: PromiseWithResolvers<void> | undefined

  hold(): () => void {
    const held = Promise.withResolvers<void>()
    this.#held = held
    return () => held.resolve()
  }

  override async list<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions,
  ): Promise<{ items: T[]; resourceVersion: string }> {
    const answer = await super.list(type, options)
    if (options.fieldSelector?.startsWith('spec.nodeName=')) await this.#held?.promise
    return answer
  }
}

async function start() {
  const kubernetes = new SlowKubernetes()
  const clock = new FakeClock()
  const stopping = new AbortController()
  const ready: string[] = []
  const cache = new PodCache({
    ...{ kubernetes, clock, random: countingRandom(), log: silentLogger },
    onChange: () => undefined,
    onReady: (node) => ready.push(node),
  })
  const work = cache.run(stopping.signal)
  const settle = () => clock.advance(seconds(1))
  await settle()
  return {
    ...{ kubernetes, cache, ready, settle },
    names: (node: string) => cache.of(node).map(({ metadata }) => metadata.name),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      kubernetes.dropWatches()
      await work
    },
  }
}

test('a node that goes and comes back while its pods are listed is not taken for one without the pods of meanwhile', async () => {
  await using bench = await start()
  const { kubernetes, cache, settle, names } = bench
  const release = kubernetes.hold()
  cache.follow('edge-1')
  await settle()
  cache.forget('edge-1')
  // Nobody follows the node, so the watch passes this over.
  await kubernetes.create(PODS, 'shop', shopPod('till', 'edge-1'))
  await settle()
  release()
  await settle()
  assert.equal(cache.isReady('edge-1'), false)
  cache.follow('edge-1')
  assert.equal(cache.isReady('edge-1'), false)
  await settle()
  assert.deepEqual([cache.isReady('edge-1'), names('edge-1')], [true, ['till']])
})

test('a node whose Node is gone is let go of with its last pod', async () => {
  await using bench = await start()
  const { kubernetes, cache, settle, names } = bench
  await kubernetes.create(PODS, 'shop', shopPod('till', 'edge-1'))
  cache.follow('edge-1')
  await settle()
  cache.forget('edge-1')
  assert.deepEqual(names('edge-1'), ['till'])
  await kubernetes.delete(PODS, { namespace: 'shop', name: 'till' }, { gracePeriodSeconds: 0 })
  await settle()
  assert.equal(cache.isReady('edge-1'), false)
  await kubernetes.create(PODS, 'shop', shopPod('next', 'edge-1'))
  await settle()
  assert.deepEqual(names('edge-1'), [])
  // It is back before its pods are gone: nothing is let go of.
  cache.follow('edge-1')
  await settle()
  cache.forget('edge-1')
  cache.follow('edge-1')
  await kubernetes.delete(PODS, { namespace: 'shop', name: 'next' }, { gracePeriodSeconds: 0 })
  await settle()
  assert.equal(cache.isReady('edge-1'), true)
})
