import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { type Duration, minutes, ms, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ContainerStats } from '../cri/runtime.ts'
import type { Pod } from '../pod/pod.ts'
import { LABELS } from '../state/labels.ts'
import { podOf } from '../testing/pods.ts'
import { type EvictionPorts, keepRoom } from './eviction.ts'
import type { EvictionThresholds, Stocks } from './eviction-signals.ts'
import type { VolumeUse } from './pod-usage.ts'

const MIB = 1024 ** 2
const HARD: EvictionThresholds = { memoryBytes: 100 * MIB, diskPercent: 10, inodePercent: 5 }
const PLENTY: Stocks = {
  'memory.available': { left: 500 * MIB, all: 1000 * MIB },
  'nodefs.available': { left: 500 * MIB, all: 1000 * MIB },
}
const LOW_MEMORY: Stocks = { ...PLENTY, 'memory.available': { left: 50 * MIB, all: 1000 * MIB } }
const LOW_DISK: Stocks = { ...PLENTY, 'nodefs.available': { left: 50 * MIB, all: 1000 * MIB } }

function pod(uid: string, spec: JsonObject = {}, metadata: JsonObject = {}): Pod {
  return podOf(spec, { uid, name: uid, ...metadata })
}

function uses(uid: string, memoryMib: number, diskMib = 0): ContainerStats {
  const labels = { [LABELS.podUid]: uid, [LABELS.containerName]: 'app' }
  return { id: uid, labels, cpuNanoseconds: 0, memoryBytes: memoryMib * MIB, diskBytes: diskMib * MIB }
}

interface Play {
  stocks: Stocks
  pods: readonly Pod[]
  stats: readonly ContainerStats[]
  volumes?: readonly VolumeUse[]
  /** What reclaiming leaves. */
  reclaimed?: Stocks
  /** Stay after they were evicted. */
  isStuck?: boolean
  fails?: boolean
}

/** A machine with pods, and what becomes of them: `who why grace`. */
function bench(play: Play, more: Pick<EvictionPorts, 'soft'> = {}) {
  const clock = new FakeClock()
  const stop = new AbortController()
  const said: string[] = []
  const told: string[] = []
  const running = keepRoom(
    {
      ...{ clock, log: silentLogger, labels: {}, hard: HARD, ...more },
      runtime: {
        async containerStats() {
          if (play.fails) throw new Error('the runtime is away')
          return play.stats
        },
      },
      measure: async () => play.stocks,
      pods: () => play.pods,
      volumesOf: async () => play.volumes ?? [],
      logsOf: async () => new Map(),
      async reclaim() {
        said.push('reclaim')
        play.stocks = play.reclaimed ?? play.stocks
      },
      async evict(uid, { reason, message }, grace: Duration) {
        said.push(`${uid} ${reason} ${grace.milliseconds}: ${message}`)
        if (!play.isStuck) play.pods = play.pods.filter((each) => each.uid !== uid)
      },
      tell: ({ uid }, { type, reason }) => void told.push(`${uid} ${type} ${reason}`),
    },
    stop.signal,
  )
  return {
    ...{ clock, told },
    said: () => said.splice(0),
    who: () => said.splice(0).flatMap((each) => (each === 'reclaim' ? [] : [each.split(' ')[0]])),
    async stop() {
      stop.abort(new Error('over'))
      await running
    },
  }
}

test('while enough is left nothing happens', async () => {
  const { clock, said, stop } = bench({ stocks: PLENTY, pods: [pod('a')], stats: [uses('a', 900)] })
  await clock.advance(minutes(10))
  assert.deepEqual(said(), [])
  await stop()
})

test('when memory runs short the greediest pod goes at once, one in a pass, in the words of a kubelet', async () => {
  const asks = { containers: [{ name: 'app', image: 'a:1', resources: { requests: { memory: '300Mi' } } }] }
  const play: Play = {
    stocks: LOW_MEMORY,
    pods: [pod('modest', asks), pod('greedy'), pod('greedier')],
    stats: [uses('modest', 290), uses('greedy', 100), uses('greedier', 200)],
  }
  const { clock, said, told, who, stop } = bench(play)
  await clock.advance(seconds(10))
  assert.deepEqual(said(), [
    'greedier Evicted 0: The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ' +
      'Container app was using 200Mi, request is 0, has larger consumption of memory. ',
  ])
  assert.deepEqual(told, ['greedier Warning Evicted'])
  await clock.advance(seconds(10))
  assert.deepEqual(who(), ['greedy'])
  play.stocks = PLENTY
  await clock.advance(minutes(1))
  assert.deepEqual(who(), [])
  await stop()
})

test('what nobody needs is removed first, and where that is enough no pod goes', async () => {
  const { clock, said, stop } = bench({
    ...{ stocks: LOW_DISK, reclaimed: PLENTY, pods: [pod('a')], stats: [uses('a', 1, 400)] },
  })
  await clock.advance(minutes(1))
  assert.deepEqual(said(), ['reclaim'])
  await stop()
})

test('the effect of an eviction is waited for, 30 s at the longest', async () => {
  const { clock, who, stop } = bench({
    ...{ stocks: LOW_MEMORY, isStuck: true, pods: [pod('a'), pod('b')], stats: [uses('a', 200), uses('b', 100)] },
  })
  await clock.advance(seconds(35))
  assert.deepEqual(who(), ['a'])
  await clock.advance(seconds(10))
  assert.deepEqual(who(), ['b'], 'the stuck one does not go twice')
  await clock.advance(minutes(2))
  assert.deepEqual(who(), [])
  await stop()
})

test('pods of the system and those from files stay, also where nothing else is left', async () => {
  const fromFile: Pod = { ...pod('file'), isStatic: true }
  const critical = pod('critical', { priority: 2_000_000_000 })
  const mirror = pod('mirror', {}, { annotations: { 'kubernetes.io/config.mirror': 'x' } })
  const leaving = pod('leaving', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })
  const all = [fromFile, critical, mirror, leaving, pod('plain')]
  const { clock, who, stop } = bench({
    ...{ stocks: LOW_MEMORY, pods: all, stats: all.map(({ uid }) => uses(uid, 200)) },
  })
  await clock.advance(minutes(2))
  assert.deepEqual(who(), ['plain'])
  await stop()
})

test('a soft threshold counts after its time, and leaves pods their grace', async () => {
  const soft = { memoryBytes: 300 * MIB, diskPercent: 0, inodePercent: 0, after: minutes(1), mostGrace: seconds(20) }
  const short: Stocks = { 'memory.available': { left: 200 * MIB, all: 1000 * MIB } }
  const play: Play = {
    ...{ stocks: short, stats: [uses('a', 200), uses('b', 100)] },
    pods: [pod('a'), pod('b', { terminationGracePeriodSeconds: 5 })],
  }
  const { clock, said, stop } = bench(play, { soft })
  await clock.advance(seconds(50))
  play.stocks = PLENTY
  await clock.advance(seconds(10))
  play.stocks = short
  await clock.advance(seconds(60))
  assert.deepEqual(said(), [], 'it was over in between')
  await clock.advance(seconds(20))
  const graces = said().flatMap((each) => /^(\w+) Evicted (\d+)/.exec(each)?.slice(1) ?? [])
  assert.deepEqual(graces, ['a', '20000', 'b', '5000'])
  await stop()
})

test('a pod beyond its own limits goes alone, however much is left', async () => {
  const emptyDir = { name: 'work', emptyDir: { sizeLimit: '1Mi' } }
  const limited = {
    containers: [{ name: 'app', image: 'a:1', resources: { limits: { 'ephemeral-storage': '10Mi' } } }],
  }
  const cases: readonly (readonly [Pod, ContainerStats, readonly VolumeUse[], RegExp])[] = [
    [
      pod('volume', { volumes: [emptyDir] }),
      uses('volume', 1),
      [{ volume: 'work', bytes: 2 * MIB, sizeLimit: { text: '1Mi', bytes: MIB } }],
      /^volume Evicted 0: Usage of EmptyDir volume "work" exceeds the limit "1Mi"\. $/,
    ],
    [
      pod('layer', limited),
      uses('layer', 1, 6),
      [{ volume: 'work', bytes: 5 * MIB }],
      /^layer Evicted 0: Pod ephemeral local storage usage exceeds the total limit of containers 10Mi\. $/,
    ],
  ]
  for (const [one, stats, volumes, expected] of cases) {
    const other = pod('other')
    const { clock, said, stop } = bench({
      ...{ stocks: PLENTY, pods: [other, one], stats: [stats, uses('other', 9, 900)], volumes },
    })
    await clock.advance(minutes(3))
    const [first, ...rest] = said()
    assert.match(first ?? '', expected)
    assert.deepEqual(rest, [])
    await stop()
  }
})

test('a runtime that tells nothing now is asked again', async () => {
  const play: Play = { stocks: LOW_MEMORY, fails: true, pods: [pod('a')], stats: [uses('a', 1)] }
  const { clock, who, stop } = bench(play)
  await clock.advance(seconds(30))
  assert.deepEqual(who(), [])
  play.fails = false
  await clock.advance(ms(10_000))
  assert.deepEqual(who(), ['a'])
  await stop()
})
