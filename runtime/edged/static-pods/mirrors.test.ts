import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { NODES, PODS } from '../../../hub/cloud/kubernetes/resources.ts'
import { BothHalves } from '../../../hub/cloud/testing/both-halves.ts'
import { shopPod } from '../../../hub/cloud/testing/edge-controller-bench.ts'
import { createNodeSelf } from '../../../hub/edge/node/node-self.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../platform/log/testing/index.ts'
import { minutes, seconds, systemRandom } from '../../../platform/time/index.ts'
import { assignedPods } from '../../../schemas/index.ts'
import type { Pod } from '../pod/pod.ts'
import { podKey } from '../pod/pod.ts'
import { Mirrors } from './mirrors.ts'
import { parseManifest } from './parse-manifest.ts'

const MACHINE = {
  directory: '/',
  health: () => ({ failing: [], waiting: [] }),
  extras: { labels: {}, taints: [] },
  measure: async () => ({}),
}
const WEB = { namespace: 'shop', name: 'web-edge-1' }

function staticPod(image = 'web:1'): Pod {
  const text = JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } } },
    spec: { containers: [{ name: 'web', image }] },
  })
  const parsed = parseManifest({ path: '/etc/pods/web.yaml', text, nodeName: 'edge-1' })
  assert.ok('pod' in parsed)
  return parsed.pod
}

/** A real edge and a real cloud on virtual time, and the mirrors of the pods that a test has. */
async function setup(t: TestContext, known = true) {
  const both = new BothHalves()
  const { kubernetes, clock } = both
  await both.startCloud()
  await both.startEdge({ node: (ports) => createNodeSelf({ ...ports, ...MACHINE }) })
  await both.pass(31_000)
  const log = memoryLogger()
  const onCrash = (error: unknown): never => {
    throw error
  }
  const scope = createScope('mirrors', { clock, log, deadline: seconds(5), onCrash })
  t.after(async () => {
    const closing = scope.close(seconds(5))
    await both.pass(10_000)
    await closing
    await both.stop()
  })
  let pods: ReadonlyMap<string, Pod> = new Map()
  let isKnown = known
  const ports = { bus: both.edge.bus, nodeName: 'edge-1', clock, random: systemRandom, log }
  const mirrors = new Mirrors({ ...ports, pods: () => (isKnown ? pods : undefined) })
  mirrors.start(scope)
  const have = async (...next: readonly Pod[]) => {
    isKnown = true
    pods = new Map(next.map((pod) => [podKey(pod), pod]))
    mirrors.look()
    await both.pass(3000)
  }
  const shown = () => kubernetes.get(PODS, WEB)
  const reach = async (isReachable: boolean) => {
    both.edge.dialer.isReachable = isReachable
    if (!isReachable) both.edge.dialer.pair?.cut('the cable')
    await both.pass(isReachable ? 90_000 : 1000)
  }
  return { both, kubernetes, mirrors, have, shown, reach, log }
}

test('the cloud shows a static pod as its Node’s, once', async (t) => {
  const { both, kubernetes, mirrors, have, shown } = await setup(t)
  const pod = staticPod()
  assert.equal(mirrors.uidOf('shop/web-edge-1'), undefined)
  await have(pod)
  const mirror = await shown()
  const node = await kubernetes.get(NODES, { name: 'edge-1' })
  assert.deepEqual(mirror?.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: node?.metadata.uid, controller: true },
  ])
  assert.deepEqual(mirror?.metadata.annotations, {
    'kubernetes.io/config.hash': pod.uid,
    'kubernetes.io/config.mirror': pod.uid,
    'kubernetes.io/config.source': 'file',
  })
  assert.deepEqual([mirror?.metadata.labels, mirror?.spec?.['nodeName']], [{ app: 'web' }, 'edge-1'])
  assert.notEqual(mirror?.metadata.uid, pod.uid)
  assert.equal(mirrors.uidOf('shop/web-edge-1'), mirror?.metadata.uid)
  await both.pass(minutes(10).milliseconds)
  assert.equal((await shown())?.metadata.uid, mirror?.metadata.uid)
})

test('a mirror that somebody deletes comes again, at once or after its grace', async (t) => {
  const { both, kubernetes, have, shown } = await setup(t)
  await have(staticPod())
  const first = await shown()
  await kubernetes.delete(PODS, WEB, { gracePeriodSeconds: 0 })
  await both.pass(5000)
  const second = await shown()
  assert.ok(second)
  assert.notEqual(second.metadata.uid, first?.metadata.uid)
  await kubernetes.delete(PODS, WEB)
  await both.pass(5000)
  const third = await shown()
  assert.ok(third)
  assert.equal(third.metadata.deletionTimestamp, undefined)
  assert.notEqual(third.metadata.uid, second.metadata.uid)
})

test('a file that changes makes its mirror anew, and one that goes takes it along', async (t) => {
  const { both, mirrors, have, shown } = await setup(t)
  await have(staticPod())
  const first = await shown()
  await have(staticPod('web:2'))
  await both.pass(5000)
  const second = await shown()
  assert.notEqual(second?.metadata.uid, first?.metadata.uid)
  assert.match(JSON.stringify(second?.spec), /web:2/)
  await have()
  await both.pass(5000)
  assert.equal(await shown(), undefined)
  assert.equal(mirrors.uidOf('shop/web-edge-1'), undefined)
  assert.equal(both.edge.bus.get(assignedPods, 'shop/web-edge-1'), undefined)
})

test('while the cloud is away nothing is tried, and all is put right when it is back', async (t) => {
  const { both, have, shown, reach, log } = await setup(t)
  await reach(false)
  await have(staticPod())
  await both.pass(minutes(30).milliseconds)
  assert.deepEqual(log.messages('warn'), [])
  await reach(true)
  assert.match(JSON.stringify((await shown())?.spec), /web:1/)
  await reach(false)
  await have()
  await both.pass(minutes(30).milliseconds)
  assert.ok(await shown())
  await reach(true)
  assert.equal(await shown(), undefined)
})

test('as long as the files are not known, no mirror is taken for one too many', async (t) => {
  const { both, kubernetes, have, shown } = await setup(t, false)
  const node = await kubernetes.get(NODES, { name: 'edge-1' })
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'edge-1', uid: node?.metadata.uid ?? '' }
  const annotations = { 'kubernetes.io/config.mirror': 'from before' }
  const metadata = { ...WEB, annotations, ownerReferences: [owner] }
  await kubernetes.create(PODS, 'shop', { metadata, spec: { nodeName: 'edge-1', containers: [] } })
  await both.pass(minutes(2).milliseconds)
  assert.ok(both.edge.bus.get(assignedPods, 'shop/web-edge-1'))
  assert.ok(await shown())
  await have()
  assert.equal(await shown(), undefined)
})

test('a pod of the cloud that has the name of a static pod is left alone', async (t) => {
  const { both, kubernetes, mirrors, have, shown, log } = await setup(t)
  await kubernetes.create(PODS, 'shop', shopPod('web-edge-1', 'edge-1'))
  await both.pass(2000)
  const before = await shown()
  await have(staticPod())
  await both.pass(minutes(5).milliseconds)
  assert.equal((await shown())?.metadata.uid, before?.metadata.uid)
  assert.equal(mirrors.uidOf('shop/web-edge-1'), undefined)
  assert.deepEqual(log.messages('warn'), ['A static pod is not shown in the cloud: another pod has its name there'])
  await kubernetes.delete(PODS, WEB, { gracePeriodSeconds: 0 })
  await both.pass(5000)
  assert.notEqual((await shown())?.metadata.uid, before?.metadata.uid)
})

test('a name that is taken on another node is asked for again until it is free', async (t) => {
  const { both, kubernetes, have, shown, log } = await setup(t)
  await kubernetes.create(PODS, 'shop', shopPod('web-edge-1', 'edge-2'))
  await have(staticPod())
  assert.deepEqual(log.messages('info'), ['A pod of the name of a static pod is in the cloud already'])
  await kubernetes.delete(PODS, WEB, { gracePeriodSeconds: 0 })
  await both.pass(40_000)
  assert.equal((await shown())?.spec?.['nodeName'], 'edge-1')
})
