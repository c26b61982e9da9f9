import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { type NodeReserved, nodeConditions, nodeRuntime } from '../../../schemas/index.ts'
import type { Image, RuntimeStatus } from '../cri/runtime.ts'
import { keepNodeFacts } from './node-facts.ts'

const ENDPOINT = 'unix:///run/containerd/containerd.sock'
const RESERVED: NodeReserved = { milliCpu: 100, memoryBytes: 1, diskBytes: 2 }
const WELL: RuntimeStatus = {
  conditions: [
    { type: 'RuntimeReady', status: true, reason: '', message: '' },
    { type: 'NetworkReady', status: true, reason: '', message: '' },
  ],
  handlers: ['', 'runc'],
}

function image(bytes: number, tags: readonly string[], digests: readonly string[] = []): Image {
  return { id: `sha256:${bytes}`, tags, digests, bytes, username: '', isPinned: false }
}

interface Play {
  fails?: Error | undefined
  status: RuntimeStatus
  images: readonly Image[]
  /** How often images were asked for. */
  lists: number
}

function bench(first: Partial<Play> = {}) {
  const clock = new FakeClock()
  const bus = createLocalBus(clock, silentLogger)
  const stop = new AbortController()
  const play: Play = { status: WELL, images: [image(5, ['till:1'])], lists: 0, ...first }
  const answer = async <T>(value: T): Promise<T> => {
    if (play.fails) throw play.fails
    return value
  }
  const changes: string[] = []
  bus.watch(nodeRuntime, ({ value }) => changes.push(JSON.stringify(value)))
  bus.watch(nodeConditions, ({ key, value }) => changes.push(`${key} ${value?.status}`))
  const running = keepNodeFacts(
    {
      ...{ bus, clock, endpoint: ENDPOINT, log: silentLogger, maxPods: 30, reserved: RESERVED },
      runtime: {
        version: () => answer({ name: 'containerd', version: '1.6.20', apiVersion: 'v1' }),
        status: () => answer(play.status),
        listImages() {
          play.lists++
          return answer(play.images)
        },
      },
    },
    stop.signal,
  )
  return {
    ...{ bus, clock, play, changes },
    said: () => bus.get(nodeRuntime, 'node'),
    condition: (type: string) => bus.get(nodeConditions, type),
    async stop() {
      stop.abort(new Error('over'))
      await running
    },
  }
}

test('the Node is told of the runtime, and again only when something is another', async () => {
  const { clock, play, changes, said, condition, stop } = bench()
  await clock.advance(seconds(1))
  assert.deepEqual(said(), {
    ...{ maxPods: 30, reserved: RESERVED, version: 'containerd://1.6.20', handlers: ['runc'] },
    images: [{ names: ['till:1'], bytes: 5 }],
  })
  assert.deepEqual(condition('ContainerRuntimeReady'), {
    ...{ status: 'True', reason: 'RuntimeReady', message: 'containerd 1.6.20 answers' },
  })
  assert.equal(condition('ContainerNetworkReady')?.status, 'True')
  const before = changes.length
  await clock.advance(seconds(300))
  assert.deepEqual([changes.length, play.lists], [before, 6], 'images are looked at once a minute')
  play.images = [image(5, ['till:1']), image(9, ['a:1', 'a:2', 'a:3', 'a:4', 'a:5'], ['a@sha256:9']), image(7, [])]
  await clock.advance(seconds(60))
  assert.deepEqual(said()?.images, [
    { names: ['a@sha256:9', 'a:1', 'a:2', 'a:3', 'a:4'], bytes: 9 },
    { names: ['till:1'], bytes: 5 },
  ])
  await stop()
})

test('without a runtime the Node says what is missing and how to get it, and what was known stays', async () => {
  const fails = new UnavailableError('The container runtime does not answer', { code: 'EDGED_RUNTIME_UNAVAILABLE' })
  const { clock, play, said, condition, stop } = bench({ fails })
  await clock.advance(seconds(1))
  assert.equal(said()?.maxPods, 30)
  assert.equal(said()?.version, undefined)
  const { status, reason, message = '' } = condition('ContainerRuntimeReady') ?? {}
  assert.deepEqual([status, reason], ['False', 'RuntimeUnavailable'])
  assert.match(message, /unix:\/\/\/run\/containerd\/containerd\.sock.*apt-get install containerd/)
  assert.equal(condition('ContainerNetworkReady'), undefined)
  play.fails = undefined
  await clock.advance(seconds(10))
  assert.equal(condition('ContainerRuntimeReady')?.status, 'True')
  play.fails = new RefusedError('unknown service runtime.v1.RuntimeService', { code: 'EDGED_RUNTIME_REFUSED' })
  await clock.advance(seconds(10))
  assert.match(condition('ContainerRuntimeReady')?.message ?? '', /unknown service .* CRI plugin has to be enabled/)
  assert.deepEqual([said()?.version, said()?.images.length], ['containerd://1.6.20', 1])
  await stop()
})

test('a runtime without a network for pods says so in its own words', async () => {
  const network = {
    type: 'NetworkReady',
    status: false,
    reason: 'NetworkPluginNotReady',
    message: 'no CNI config found',
  }
  const status = { ...WELL, conditions: [...WELL.conditions.slice(0, 1), network] }
  const { clock, play, condition, stop } = bench({ status })
  await clock.advance(seconds(1))
  assert.equal(condition('ContainerRuntimeReady')?.status, 'True')
  const said = condition('ContainerNetworkReady')
  assert.equal(said?.status, 'False')
  assert.match(said?.message ?? '', /no CNI config found.*\/etc\/cni\/net\.d/)
  play.status = { ...WELL, conditions: [{ type: 'RuntimeReady', status: false, reason: 'Dying', message: '' }] }
  await clock.advance(seconds(10))
  assert.match(condition('ContainerRuntimeReady')?.message ?? '', /cannot run containers: Dying/)
  assert.equal(condition('ContainerNetworkReady'), undefined)
  await stop()
})

test('when Edged ends, the Node offers room for pods no more', async () => {
  const { clock, said, condition, stop } = bench()
  await clock.advance(seconds(1))
  await stop()
  assert.deepEqual(
    [said(), condition('ContainerRuntimeReady'), condition('ContainerNetworkReady')],
    Array(3).fill(undefined),
  )
})
