import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Bus, createLocalBus } from '../../../platform/bus/index.ts'
import { silentLogger } from '../../../platform/log/index.ts'
import { minutes, ms, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { type Frame, type Json, type JsonObject, links, nodeConditions, nodeRuntime } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import { countingRandom } from '../testing/edge-bench.ts'
import type { NodeHealth } from './conditions.ts'
import type { MachineFacts } from './machine.ts'
import { nodeLabels } from './node-object.ts'
import { runNodeReporter } from './node-reporter.ts'
import { createNodeSelf, type NodeSelf } from './node-self.ts'
import { measureRoom, type Room } from './pressure.ts'

const FACTS: MachineFacts = {
  cpus: 4,
  memoryBytes: 8 * 1024 ** 3,
  os: 'linux',
  kernel: '6.1',
  architecture: 'x64',
  hostname: 'gw',
  address: '192.0.2.7',
}

interface Api {
  node: JsonObject | undefined
  lease: JsonObject | undefined
  facts: MachineFacts
  fails: boolean
  /** Of each Node that is made. */
  uid: string
  /** Until an answer comes, ms. */
  takes: number
  /** Reason of the next answer to an update of the Lease. */
  refuses: string | undefined
}

/** A reporter and an API with at most one Node and one Lease. */
function bench(node?: JsonObject, self?: (ports: { readonly bus: Bus; readonly clock: FakeClock }) => NodeSelf) {
  const clock = new FakeClock()
  const asked: Frame[] = []
  const api: Api = { node, lease: undefined, facts: FACTS, fails: false, uid: 'n', takes: 0, refuses: undefined }
  const bus = createLocalBus(clock, silentLogger)
  const stop = new AbortController()
  const answer = ({ route, content }: Frame): Json => {
    const kind = `${route.operation} ${route.resource?.split('/')[1]}`
    const sent: JsonObject = typeof content === 'string' ? JSON.parse(content) : Object(content)
    switch (kind) {
      case 'insert node':
        if (api.node) return failure('AlreadyExists')
        api.node = { ...sent, metadata: { ...Object(sent['metadata']), uid: api.uid } }
        return { Object: api.node, Err: null }
      case 'patch nodepatch':
        if (!api.node) return failure('NotFound')
        api.node = { ...api.node, status: { ...Object(api.node?.['status']), ...Object(sent['status']) } }
        return { Object: api.node, Err: null }
      case 'update node':
        return 'OK'
      case 'query lease':
        return api.lease ? { Object: api.lease, Err: null } : failure('NotFound')
      case 'update lease':
        if (api.refuses !== undefined || !api.lease) {
          const reason = api.refuses ?? 'NotFound'
          api.refuses = undefined
          return failure(reason)
        }
        api.lease = sent
        return { Object: sent, Err: null }
      default:
        api.lease = sent
        return { Object: sent, Err: null }
    }
  }
  const running = runNodeReporter(
    { nodeName: 'edge-1', version: '0.1.0' },
    {
      frames: createFrameFactory({ clock, random: countingRandom() }),
      clock,
      log: silentLogger,
      ...(self ? { node: self({ bus, clock }) } : { facts: () => api.facts }),
      async ask(frame) {
        asked.push(frame)
        if (api.takes > 0) await clock.sleep(ms(api.takes))
        if (api.fails) throw new Error('no answer')
        return answer(frame)
      },
    },
    stop.signal,
  )
  return {
    api,
    asked,
    bus,
    clock,
    kinds: () => asked.map(({ route }) => `${route.operation} ${route.resource}`),
    async stop() {
      stop.abort(new Error('over'))
      await running
    },
  }
}

const failure = (reason: string): Json => ({ Object: null, Err: { ErrStatus: { reason } } })

const readyOf = (node: JsonObject | undefined): JsonObject => Object(node?.['status'])['conditions']?.[0]

test('the Node is registered with the labels of an edge, then its status, then its Lease', async () => {
  const { api, asked, clock, kinds, stop } = bench()
  await clock.advance(seconds(1))
  assert.deepEqual(kinds(), [
    'insert null/node/edge-1',
    'patch null/nodepatch/edge-1',
    'query kube-node-lease/lease/edge-1',
    'insert kube-node-lease/lease/edge-1',
  ])
  assert.deepEqual([asked[0]?.route.source, asked[0]?.route.group], ['edged', 'meta'])
  const made: JsonObject = Object(asked[0]?.content)
  assert.deepEqual(Object(made['metadata'])['labels'], {
    'kubernetes.io/hostname': 'edge-1',
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'node-role.kubernetes.io/edge': '',
    'node-role.kubernetes.io/agent': '',
  })
  assert.equal(typeof asked[1]?.content, 'string')
  assert.equal(readyOf(api.node)['status'], 'True')
  const { metadata, spec } = api.lease ?? {}
  assert.deepEqual(Object(metadata)['ownerReferences'], [{ apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: 'n' }])
  assert.equal(Object(spec)['leaseDurationSeconds'], 40)
  assert.match(Object(spec)['renewTime'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  await stop()
})

test('the Lease is renewed each 10 s, the status each 5 min and when the machine changes', async () => {
  const { api, clock, kinds, stop } = bench()
  await clock.advance(seconds(299))
  const count = (kind: string) => kinds().filter((each) => each.startsWith(kind)).length
  assert.equal(count('update kube-node-lease'), 29)
  assert.equal(count('patch'), 1)
  await clock.advance(seconds(5))
  assert.equal(count('patch'), 2)
  api.facts = { ...FACTS, address: '192.0.2.8' }
  await clock.advance(seconds(10))
  assert.equal(count('patch'), 3)
  await stop()
})

test('a Node that was Ready all along keeps the time since when; one that was not gets a new one', async () => {
  const node = (status: string): JsonObject => ({
    metadata: { name: 'edge-1', uid: 'n' },
    status: { conditions: [{ type: 'Ready', status, lastTransitionTime: '2020-01-01T00:00:00Z' }] },
  })
  const ready = bench(node('True'))
  await ready.clock.advance(seconds(1))
  assert.equal(readyOf(ready.api.node)['lastTransitionTime'], '2020-01-01T00:00:00Z')
  assert.ok(ready.kinds().includes('update null/node/edge-1'))
  await ready.stop()
  const gone = bench(node('Unknown'))
  await gone.clock.advance(seconds(1))
  assert.equal(readyOf(gone.api.node)['lastTransitionTime'], '2026-08-06T12:00:00Z')
  assert.equal(readyOf(gone.api.node)['status'], 'True')
  await gone.stop()
})

test('after a failure everything is tried again, from the registration on', async () => {
  const { api, clock, kinds, stop } = bench()
  api.fails = true
  await clock.advance(seconds(1))
  assert.deepEqual(kinds(), ['insert null/node/edge-1', 'query kube-node-lease/lease/edge-1'])
  api.fails = false
  await clock.advance(seconds(5))
  assert.deepEqual(kinds().slice(2).sort(), [
    'insert kube-node-lease/lease/edge-1',
    'insert null/node/edge-1',
    'patch null/nodepatch/edge-1',
    'query kube-node-lease/lease/edge-1',
  ])
  await stop()
})

test('an API that takes 15 s for each answer still sees a renewal within 40 s', async () => {
  const { api, asked, clock, stop } = bench()
  api.takes = 15_000
  await clock.advance(seconds(60))
  const times: string[] = []
  for (let at = 0; at < 60; at++) {
    const lease: JsonObject = Object(api.lease?.['spec'])
    if (!times.includes(String(lease['renewTime']))) times.push(String(lease['renewTime']))
    await clock.advance(seconds(5))
  }
  const gaps = times.slice(1).map((time, at) => Date.parse(time) - Date.parse(times[at] ?? ''))
  assert.ok(gaps.length >= 10 && Math.max(...gaps) <= 16_000, `${gaps}`)
  assert.ok(asked.length < 60)
  api.takes = 0
  await clock.advance(seconds(30))
  await stop()
})

test('after a renewal that was long overdue the status is told again: a cluster may have said that nobody knows how it is', async () => {
  const { api, clock, kinds, stop } = bench()
  const patches = () => kinds().filter((each) => each.startsWith('patch')).length
  await clock.advance(seconds(9))
  api.takes = 25_000
  await clock.advance(seconds(2))
  api.takes = 0
  await clock.advance(seconds(20))
  assert.equal(patches(), 1)
  await clock.advance(seconds(10))
  assert.equal(patches(), 2)
  await stop()
})

test('a Lease lasts as long as it is configured, and is renewed four times in that', async () => {
  const self = selfOf(() => PLENTY)
  const { api, clock, kinds, stop } = bench(undefined, (ports) => ({ ...self(ports), lease: seconds(8) }))
  await clock.advance(seconds(21))
  assert.equal(Object(api.lease?.['spec'])['leaseDurationSeconds'], 8)
  assert.equal(kinds().filter((each) => each.startsWith('update kube-node-lease')).length, 10)
  await stop()
})

test('a Lease that somebody else wrote is read again and renewed at once', async () => {
  const { api, clock, kinds, stop } = bench()
  await clock.advance(seconds(1))
  api.refuses = 'Conflict'
  await clock.advance(seconds(10))
  assert.deepEqual(kinds().slice(4), [
    'update kube-node-lease/lease/edge-1',
    'query kube-node-lease/lease/edge-1',
    'update kube-node-lease/lease/edge-1',
  ])
  await stop()
})

test('a Node that was deleted meanwhile is made again, and owns the Lease', async () => {
  const { api, clock, kinds, stop } = bench()
  await clock.advance(seconds(1))
  // The Lease goes with the Node that owns it.
  api.node = undefined
  api.lease = undefined
  api.uid = 'another'
  await clock.advance(seconds(310))
  assert.equal(kinds().filter((each) => each.startsWith('insert null/node')).length, 2)
  const [owner]: JsonObject[] = Object(api.lease?.['metadata'])['ownerReferences']
  assert.equal(owner?.['uid'], 'another')
  await stop()
})

test('a Node that was made anew by somebody else is taken as it is, and owns the Lease', async () => {
  const { api, clock, kinds, stop } = bench()
  await clock.advance(seconds(1))
  api.node = { metadata: { name: 'edge-1', uid: 'another' }, status: {} }
  api.lease = undefined
  await clock.advance(seconds(30))
  assert.equal(kinds().filter((each) => each.startsWith('insert null/node')).length, 1)
  const [owner]: JsonObject[] = Object(api.lease?.['metadata'])['ownerReferences']
  assert.equal(owner?.['uid'], 'another')
  assert.equal(readyOf(api.node)['status'], 'True')
  await stop()
})

function selfOf(room: () => Room, health: () => NodeHealth = () => ({ failing: [], waiting: [] })) {
  return ({ bus, clock }: { readonly bus: Bus; readonly clock: FakeClock }) =>
    createNodeSelf({
      ...{ bus, clock, directory: '/', health },
      extras: { labels: { site: 'harbour' }, taints: [{ key: 'acme.io/edge', effect: 'NoSchedule' }] },
      address: '192.0.2.9',
      measure: async () => room(),
    })
}

const PLENTY: Room = {
  memoryBytes: 1024 ** 3,
  diskPercent: 50,
  inodePercent: 50,
  pidPercent: 90,
  diskBytes: 1024 ** 4,
}

function conditionsOf(node: JsonObject | undefined): Record<string, string> {
  const all: JsonObject[] = Object(node?.['status'])['conditions'] ?? []
  return Object.fromEntries(all.map(({ type, status, reason, $patch }) => [type, $patch ?? `${status} ${reason}`]))
}

test('labels, taints, address and pressures of the configuration and of this machine are on the Node', async () => {
  const { api, asked, clock, stop } = bench(
    undefined,
    selfOf(() => PLENTY),
  )
  await clock.advance(seconds(1))
  const made: JsonObject = Object(asked[0]?.content)
  assert.equal(Object(Object(made['metadata'])['labels'])['site'], 'harbour')
  assert.deepEqual(made['spec'], { taints: [{ key: 'acme.io/edge', effect: 'NoSchedule' }] })
  assert.equal(Object(made['status'])['addresses'][0].address, '192.0.2.9')
  assert.equal(Object(made['status'])['capacity']['ephemeral-storage'], `${1024 ** 3}Ki`)
  assert.deepEqual(conditionsOf(api.node), {
    Ready: 'True EdgeReady',
    MemoryPressure: 'False SufficientMemory',
    DiskPressure: 'False SufficientDisk',
    PIDPressure: 'False SufficientPIDs',
  })
  await stop()
})

test('a pressure is reported when it begins and five minutes after it was last seen', async () => {
  let room: Room = PLENTY
  const { api, clock, stop } = bench(
    undefined,
    selfOf(() => room),
  )
  await clock.advance(seconds(1))
  room = { ...PLENTY, memoryBytes: 50 * 1024 ** 2, inodePercent: 1 }
  await clock.advance(seconds(10))
  const low = conditionsOf(api.node)
  assert.deepEqual([low['MemoryPressure'], low['DiskPressure']], ['True LowMemory', 'True LowDisk'])
  room = PLENTY
  await clock.advance(seconds(280))
  assert.equal(conditionsOf(api.node)['MemoryPressure'], 'True LowMemory')
  await clock.advance(seconds(40))
  assert.equal(conditionsOf(api.node)['MemoryPressure'], 'False SufficientMemory')
  room = { diskPercent: 50 }
  await clock.advance(seconds(10))
  assert.equal(conditionsOf(api.node)['PIDPressure'], 'Unknown PIDsNotMeasured')
  assert.equal(conditionsOf(api.node)['DiskPressure'], 'False SufficientDisk')
  await stop()
})

test('the Node is not Ready while a part of the edge fails, and says which; one that waits is named', async () => {
  let health: NodeHealth = { failing: [], waiting: [] }
  const { api, clock, stop } = bench(
    undefined,
    selfOf(
      () => PLENTY,
      () => health,
    ),
  )
  health = { failing: ['EventBus is restarting: the port is taken'], waiting: [] }
  await clock.advance(seconds(11))
  const failing = readyOf(api.node)
  assert.deepEqual(
    [failing['status'], failing['reason'], failing['message']],
    ['False', 'EdgePartsFailing', 'EventBus is restarting: the port is taken'],
  )
  health = { failing: [], waiting: ['EventBus waits for the MQTT broker'] }
  await clock.advance(seconds(10))
  assert.equal(readyOf(api.node)['status'], 'True')
  assert.equal(readyOf(api.node)['message'], 'the edge half is connected; EventBus waits for the MQTT broker')
  await stop()
})

test('conditions that other parts contribute are there at once and go when they are over; Ready is the edge’s own', async () => {
  const { api, bus, clock, stop } = bench(
    undefined,
    selfOf(() => PLENTY),
  )
  await clock.advance(seconds(1))
  const report = { status: 'True', reason: 'NoRoute', message: 'no route to pods' } as const
  bus.set(nodeConditions, 'NetworkUnavailable', report)
  bus.set(nodeConditions, 'Ready', { status: 'False', reason: 'Impostor', message: '' })
  bus.set(nodeConditions, 'DiskPressure', { status: 'True', reason: 'ImagesFull', message: 'the image store is full' })
  await clock.advance(ms(1))
  const now = conditionsOf(api.node)
  assert.equal(now['NetworkUnavailable'], 'True NoRoute')
  assert.equal(now['DiskPressure'], 'True ImagesFull')
  assert.equal(now['Ready'], 'True EdgeReady')
  for (const type of ['NetworkUnavailable', 'Ready', 'DiskPressure']) bus.remove(nodeConditions, type)
  await clock.advance(ms(1))
  assert.equal(conditionsOf(api.node)['NetworkUnavailable'], 'delete')
  assert.equal(conditionsOf(api.node)['DiskPressure'], 'False SufficientDisk')
  await stop()
})

test('conditions that a former run of this edge has left are taken back, those of others are not', async () => {
  const conditions = ['ObjectsRefused', 'NameConflict', 'Theirs'].map((type) => ({
    type,
    status: 'True',
    reason: 'Old',
  }))
  const made = { metadata: { name: 'edge-1', uid: 'n' }, status: { conditions } }
  const { api, asked, clock, stop } = bench(
    made,
    selfOf(() => PLENTY),
  )
  await clock.advance(seconds(1))
  const now = conditionsOf(api.node)
  assert.deepEqual([now['ObjectsRefused'], now['NameConflict'], now['Theirs']], ['delete', 'delete', undefined])
  await clock.advance(minutes(6))
  const last = asked.findLast(({ route }) => route.operation === 'patch')
  assert.ok(asked.filter(({ route }) => route.operation === 'patch').length > 2)
  assert.doesNotMatch(String(last?.content), /Theirs/)
  await stop()
})

test('a node whose name another edge has too says so, and for five minutes after', async () => {
  const { api, bus, clock, stop } = bench(
    undefined,
    selfOf(() => PLENTY),
  )
  await clock.advance(seconds(1))
  assert.equal(conditionsOf(api.node)['NameConflict'], undefined)
  const detail = 'the peer closed the connection: replaced by a newer session of the node'
  bus.set(links, 'cloud', { connected: false, since: 0, detail })
  bus.set(links, 'cloud', { connected: true, since: 0, detail: 'connected' })
  await clock.advance(seconds(10))
  assert.equal(conditionsOf(api.node)['NameConflict'], 'True AnotherEdge')
  await clock.advance(seconds(310))
  assert.equal(conditionsOf(api.node)['NameConflict'], 'delete')
  await stop()
})

test('a node offers room for pods while something runs them', async () => {
  const self = selfOf(() => PLENTY)
  const { api, asked, bus, clock, stop } = bench(undefined, self)
  await clock.advance(seconds(1))
  const pods = () => Object(Object(api.node?.['status'])['allocatable'])['pods']
  const reserved = { milliCpu: 0, memoryBytes: 0, diskBytes: 0 }
  bus.set(nodeRuntime, 'node', { maxPods: 30, images: [], handlers: [], reserved })
  await clock.advance(ms(1))
  assert.equal(pods(), '30')
  bus.remove(nodeRuntime, 'node')
  await clock.advance(ms(1))
  assert.equal(pods(), '0')
  assert.equal(Object(JSON.parse(String(asked.at(-1)?.content)))['status']['images'], null, 'what it had is taken back')
  await stop()
})

test('what this machine has left is measured for real', async () => {
  const { memoryBytes = 0, diskPercent = -1, pidPercent = -1, diskBytes = 0 } = await measureRoom('/tmp')
  assert.ok(memoryBytes > 0 && diskBytes > 0)
  assert.ok(diskPercent >= 0 && diskPercent <= 100, `${diskPercent}`)
  if (process.platform === 'linux') assert.ok(pidPercent > 0 && pidPercent <= 100, `${pidPercent}`)
})

test('a name of 253 characters makes a label that a cluster takes', () => {
  const name = `${'a'.repeat(62)}.${'b'.repeat(190)}`
  assert.equal(nodeLabels(name, FACTS)['kubernetes.io/hostname'], 'a'.repeat(62))
})
