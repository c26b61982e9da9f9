import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { Frame, Json, JsonObject } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import { countingRandom } from '../testing/edge-bench.ts'
import type { MachineFacts } from './node-object.ts'
import { runNodeReporter } from './node-reporter.ts'

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
}

/** A reporter and an API with at most one Node and one Lease. */
function bench(node?: JsonObject) {
  const clock = new FakeClock()
  const asked: Frame[] = []
  const api: Api = { node, lease: undefined, facts: FACTS, fails: false }
  const stop = new AbortController()
  const answer = ({ route, content }: Frame): Json => {
    const kind = `${route.operation} ${route.resource?.split('/')[1]}`
    const sent: JsonObject = typeof content === 'string' ? JSON.parse(content) : Object(content)
    switch (kind) {
      case 'insert node':
        if (api.node) return failure('AlreadyExists')
        api.node = { ...sent, metadata: { name: 'edge-1', uid: 'n' } }
        return { Object: api.node, Err: null }
      case 'patch nodepatch':
        api.node = { ...api.node, status: { ...Object(api.node?.['status']), ...Object(sent['status']) } }
        return { Object: api.node, Err: null }
      case 'update node':
        return 'OK'
      case 'query lease':
        return api.lease ? { Object: api.lease, Err: null } : failure('NotFound')
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
      facts: () => api.facts,
      async ask(frame) {
        asked.push(frame)
        if (api.fails) throw new Error('no answer')
        return answer(frame)
      },
    },
    stop.signal,
  )
  return {
    api,
    asked,
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
  assert.deepEqual(kinds(), ['insert null/node/edge-1', 'patch null/nodepatch/edge-1'])
  api.fails = false
  await clock.advance(seconds(5))
  assert.equal(kinds()[2], 'insert null/node/edge-1')
  assert.equal(kinds().at(-1), 'insert kube-node-lease/lease/edge-1')
  await stop()
})
