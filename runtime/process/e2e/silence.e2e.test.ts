import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { needs } from '../../../tools/testing/needs.ts'
import { Fleet, type Half } from '../testing/fleet.ts'
import { eventually } from '../testing/run.ts'

const READY = '{.status.conditions[?(@.type=="Ready")].status} {.status.conditions[?(@.type=="Ready")].reason}'
const TAINTS = '{range .spec.taints[*]}{.key}:{.effect} {end}'

/** Shorter than by default, so that the tests are; still long beside what a busy machine holds a process up. */
const SILENCE = { cloud: { silenceSeconds: 10 } }
const LEASE = { node: { leaseSeconds: 8 } }
const GRACE = { nodeGraceSeconds: 12 }

/** Processes that stand still (SIGSTOP) keep their sockets open: only time tells that nobody is there. */
describe('silence', { skip: needs('kubectl'), concurrency: true }, () => {
  it('an edge notices that its cloud stands still, and all is well when it goes on', async () => {
    await using fleet = await Fleet.start()
    const edge = await fleet.join('edge-1', undefined, SILENCE)
    await connected(edge, 1)
    await fleet.untilField('node', 'edge-1', READY, 'True EdgeReady')
    fleet.cloud.signal('SIGSTOP')
    await connected(edge, 0)
    assert.match((await edge.skerry('status')).stdout, /cloud +not connected to 127\.0\.0\.1:\d+ for .*: .*/)
    const silent = await fleet.cloud.skerry('status')
    assert.equal(silent.code, 1)
    assert.match(silent.stderr, /does not answer|no answer|nothing runs/)
    fleet.cloud.signal('SIGCONT')
    await connected(edge, 1)
    // The time in which the API stood still is not held against the node.
    await fleet.untilField('node', 'edge-1', READY, 'True EdgeReady')
    assert.equal(await fleet.field('node', 'edge-1', TAINTS), '')
    assert.doesNotMatch((await fleet.kubectl(['get', 'events'])).stdout, /NodeNotReady/)
  })

  it('a node that stands still is NotReady after its grace, its pods are asked to go, and it comes back', async () => {
    await using fleet = await Fleet.start({}, GRACE)
    const join = (name: string) => fleet.join(name, undefined, LEASE)
    const [edge] = await Promise.all([join('edge-1'), join('edge-2')])
    for (const name of ['edge-1', 'edge-2']) await fleet.untilField('node', name, READY, 'True EdgeReady')
    await fleet.apply(
      pod('brief', [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists', tolerationSeconds: 1 }]),
      pod('plain', []),
    )
    edge.signal('SIGSTOP')
    await fleet.untilField('node', 'edge-1', READY, 'Unknown NodeStatusUnknown')
    const taints = 'node.kubernetes.io/unreachable:NoSchedule node.kubernetes.io/unreachable:NoExecute '
    await fleet.untilField('node', 'edge-1', TAINTS, taints)
    const nodes = await fleet.kubectl(['get', 'nodes', '--no-headers'])
    assert.match(nodes.stdout, /^edge-1 +NotReady /m)
    await fleet.untilField('node', 'edge-2', READY, 'True EdgeReady')
    assert.match((await fleet.kubectl(['describe', 'node', 'edge-1'])).stdout, /NodeNotReady +\S+ +node-controller/)
    await fleet.untilField('pod', 'brief', '{.status.conditions[?(@.type=="DisruptionTarget")].status}', 'True')
    assert.notEqual(await fleet.field('pod', 'brief', '{.metadata.deletionTimestamp}'), '')
    assert.equal(await fleet.field('pod', 'plain', '{.metadata.deletionTimestamp}'), '')
    edge.signal('SIGCONT')
    await fleet.untilField('node', 'edge-1', READY, 'True EdgeReady')
    await fleet.untilField('node', 'edge-1', TAINTS, '')
  })
})

function connected(edge: Half, wanted: 0 | 1): Promise<true> {
  return eventually(wanted === 1 ? 'the edge is connected' : 'the edge notices', async () =>
    (await edge.metric('skerry_edgehub_connected')) === wanted ? true : undefined,
  )
}

function pod(name: string, tolerations: readonly object[]) {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'edge-1', containers: [{ name: 'main', image: 'busybox' }], tolerations },
  }
}
