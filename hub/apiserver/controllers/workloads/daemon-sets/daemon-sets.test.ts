import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../../schemas/index.ts'
import {
  arrayAt,
  isDeleting,
  isJsonObject,
  nameOf,
  objectAt,
  textAt,
  withContent,
  withMetadata,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { nodeCalled } from '../../../testing/nodes.ts'
import type { Play } from '../../../testing/played-kubelet.ts'
import { startWorkloadBench, templateWith, type WorkloadBench, workload } from '../../../testing/workload-bench.ts'

const NODES = ['edge-1', 'edge-2', 'edge-3']
const agent = (spec: JsonObject = {}) => workload('DaemonSet', 'agent', spec)
const image = (name: string) => ({ template: templateWith('agent', name) })
const imageOf = (pod: ApiObject) => {
  const [container] = arrayAt(objectAt(pod, 'spec'), 'containers').filter(isJsonObject)
  return textAt(container ?? {}, 'image')
}
const places = (bench: WorkloadBench) =>
  bench
    .pods()
    .filter((pod) => !isDeleting(pod))
    .map((pod) => `${textAt(objectAt(pod, 'spec'), 'nodeName')} ${imageOf(pod)}`)
    .sort()
const on = (nodes: readonly string[], what = 'nginx:1') => nodes.map((node) => `${node} ${what}`)
const revisions = (bench: WorkloadBench) =>
  bench
    .all('apps/controllerrevisions')
    .map((each) => each['revision'])
    .sort()

async function running(spec: JsonObject = {}, play?: (pod: ApiObject) => Play) {
  const bench = await startWorkloadBench(NODES, play)
  await bench.create(agent(spec))
  await bench.settle()
  return bench
}

test('each node has one pod, which stays through what drives others away, and all are counted', async () => {
  await using bench = await running()
  assert.deepEqual(places(bench), on(NODES))
  const [pod] = bench.pods()
  assert.ok(pod)
  const kept = arrayAt(objectAt(pod, 'spec'), 'tolerations').filter(isJsonObject)
  assert.ok(kept.some((each) => each['key'] === 'node.kubernetes.io/unreachable' && !('tolerationSeconds' in each)))
  assert.deepEqual(bench.status(agent()), {
    observedGeneration: 1,
    desiredNumberScheduled: 3,
    currentNumberScheduled: 3,
    updatedNumberScheduled: 3,
    numberReady: 3,
    numberAvailable: 3,
    numberMisscheduled: 0,
  })
  assert.equal(bench.events('DaemonSet').filter((each) => each.startsWith('SuccessfulCreate: ')).length, 3)
  const { version } = bench.api.store
  await bench.live(30)
  await bench.restart()
  await bench.live(30)
  assert.equal(bench.api.store.version, version)
})

test('it follows nodes that come and go, and their labels', async () => {
  const template = { ...templateWith('agent', 'nginx:1') }
  const spec = { ...objectAt(template, 'spec'), nodeSelector: { role: 'edge' } }
  await using bench = await running({ template: { ...template, spec } })
  assert.deepEqual(places(bench), [])
  const label = (name: string, labels: JsonObject) =>
    bench.edit(nodeCalled(name), '', (node) => withMetadata(node, { labels }))
  await label('edge-2', { role: 'edge' })
  await bench.create({ ...nodeCalled('edge-4'), metadata: { name: 'edge-4', labels: { role: 'edge' } } })
  await bench.settle()
  assert.deepEqual(places(bench), on(['edge-2', 'edge-4']))
  await label('edge-2', {})
  await bench.settle()
  assert.deepEqual(places(bench), on(['edge-4']))
  assert.equal(bench.status(agent())['desiredNumberScheduled'], 1)
})

test('a cordoned node keeps its pod, one with a taint gets none, and one that drives pods away loses it', async () => {
  await using bench = await running()
  const change = (name: string, spec: JsonObject) =>
    bench.edit(nodeCalled(name), '', (node) => withContent(node, { spec }))
  await change('edge-1', {
    unschedulable: true,
    taints: [{ key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }],
  })
  await change('edge-2', { taints: [{ key: 'acme.io/own', effect: 'NoSchedule' }] })
  await change('edge-3', { taints: [{ key: 'acme.io/own', effect: 'NoExecute' }] })
  await bench.settle()
  assert.deepEqual(places(bench), on(['edge-1', 'edge-2']))
  const { desiredNumberScheduled, numberMisscheduled } = bench.status(agent())
  assert.deepEqual([desiredNumberScheduled, numberMisscheduled], [1, 1])
})

test('a new image comes node by node, never with more than one missing', async () => {
  await using bench = await running()
  const available: number[] = []
  using _ = bench.api.store.onChange((resource) => {
    if (resource === '/pods') available.push(bench.pods().filter((pod) => !isDeleting(pod)).length)
  })
  await bench.ask(agent(), image('nginx:2'))
  await bench.settle()
  assert.deepEqual(places(bench), on(NODES, 'nginx:2'))
  assert.equal(Math.min(...available), 2)
  assert.equal(bench.status(agent())['updatedNumberScheduled'], 3)
  assert.deepEqual(revisions(bench), [1, 2])
})

test('nodes that are not for it hold no new image up', async () => {
  const only = (name: string) => {
    const template = templateWith('agent', name)
    return { template: { ...template, spec: { ...objectAt(template, 'spec'), nodeSelector: { role: 'edge' } } } }
  }
  await using bench = await running(only('nginx:1'))
  await bench.edit(nodeCalled('edge-2'), '', (node) => withMetadata(node, { labels: { role: 'edge' } }))
  await bench.settle()
  assert.deepEqual(places(bench), on(['edge-2']))
  await bench.ask(agent(), only('nginx:2'))
  await bench.settle()
  assert.deepEqual(places(bench), on(['edge-2'], 'nginx:2'))
})

test('what was before comes back as the newest revision', async () => {
  await using bench = await running()
  await bench.ask(agent(), image('nginx:2'))
  await bench.settle()
  await bench.ask(agent(), image('nginx:1'))
  await bench.settle()
  assert.deepEqual(places(bench), on(NODES))
  assert.deepEqual(revisions(bench), [2, 3])
})

test('with surge the new pod is there before the old one goes', async () => {
  await using bench = await running({
    updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
  })
  const counts: number[] = []
  using _ = bench.api.store.onChange((resource) => {
    if (resource === '/pods') counts.push(bench.pods().filter((pod) => !isDeleting(pod)).length)
  })
  await bench.ask(agent(), image('nginx:2'))
  await bench.settle()
  assert.deepEqual(places(bench), on(NODES, 'nginx:2'))
  assert.deepEqual([Math.min(...counts), Math.max(...counts)], [3, 4])
})

test('an image that never gets ready stops at the nodes that may be missing', async () => {
  const play = (pod: ApiObject): Play => (imageOf(pod) === 'broken' ? 'ignore' : 'run')
  await using bench = await running({}, play)
  await bench.ask(agent(), image('broken'))
  await bench.settle()
  assert.deepEqual(places(bench).filter((each) => each.endsWith('broken')).length, 1)
  assert.equal(bench.status(agent())['numberAvailable'], 2)
})

test('with OnDelete a pod is renewed when somebody takes it away', async () => {
  await using bench = await running({ updateStrategy: { type: 'OnDelete' } })
  await bench.ask(agent(), image('nginx:2'))
  await bench.settle()
  assert.deepEqual(places(bench), on(NODES))
  const [first] = bench.pods().filter((pod) => textAt(objectAt(pod, 'spec'), 'nodeName') === 'edge-1')
  assert.ok(first)
  await bench.remove(first)
  await bench.settle()
  assert.deepEqual(places(bench), ['edge-1 nginx:2', ...on(['edge-2', 'edge-3'])])
})

test('a pod that fails is renewed, later each time', async () => {
  const names = new Set<string>()
  const play = (pod: ApiObject): Play => {
    names.add(nameOf(pod))
    return 'fail'
  }
  await using bench = await startWorkloadBench(['edge-1'], play)
  await bench.create(agent())
  await bench.live(20)
  assert.ok(names.size >= 4 && names.size <= 7, String(names.size))
})

test('only as many old revisions stay as it says', async () => {
  await using bench = await running({ revisionHistoryLimit: 1 })
  for (const tag of ['2', '3', '4']) {
    await bench.ask(agent(), image(`nginx:${tag}`))
    await bench.settle()
  }
  assert.deepEqual(revisions(bench), [3, 4])
})
