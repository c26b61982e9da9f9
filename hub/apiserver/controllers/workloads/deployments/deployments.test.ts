import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  conditionOf,
  isDeleting,
  labelsOf,
  nameOf,
  objectAt,
  ownersOf,
  withMetadata,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import type { Play } from '../../../testing/played-kubelet.ts'
import { startWorkloadBench, templateWith, type WorkloadBench, workload } from '../../../testing/workload-bench.ts'

const web = (spec = {}) => workload('Deployment', 'web', { replicas: 3, ...spec })
const image = (name: string) => ({ template: templateWith('web', name) })
const imageOf = (pod: ApiObject) => JSON.stringify(objectAt(pod, 'spec')['containers'])
const running = (bench: WorkloadBench, what: string) => bench.pods().filter((pod) => imageOf(pod).includes(what)).length
const sets = (bench: WorkloadBench) =>
  bench
    .all('apps/replicasets')
    .map((set) => `${revision(set)}:${String(objectAt(set, 'spec')['replicas'])}`)
    .sort()
const revision = (object: ApiObject) =>
  String(objectAt(object.metadata, 'annotations')['deployment.kubernetes.io/revision'])
const reason = (bench: WorkloadBench, type: string) => conditionOf(bench.now(web()), type)?.['reason']

async function deployed(spec = {}, play?: (pod: ApiObject) => Play) {
  const bench = await startWorkloadBench(['edge-1', 'edge-2'], play)
  await bench.create(web(spec))
  await bench.settle()
  return bench
}

test('a deployment makes a replica set, that makes pods, and all are counted', async () => {
  await using bench = await deployed()
  const [set] = bench.all('apps/replicasets')
  assert.ok(set)
  const hash = labelsOf(set)['pod-template-hash']
  assert.equal(nameOf(set), `web-${hash}`)
  assert.equal(bench.pods().length, 3)
  for (const pod of bench.pods()) {
    assert.match(nameOf(pod), new RegExp(`^web-${hash}-[a-z0-9]{5}$`))
    assert.deepEqual(
      ownersOf(pod).map(({ kind, name, blockOwnerDeletion }) => [kind, name, blockOwnerDeletion]),
      [['ReplicaSet', nameOf(set), true]],
    )
  }
  const { conditions, ...status } = bench.status(web())
  assert.deepEqual(status, {
    observedGeneration: 1,
    replicas: 3,
    updatedReplicas: 3,
    readyReplicas: 3,
    availableReplicas: 3,
  })
  assert.equal(
    JSON.stringify(conditions)
      .match(/"reason":"[A-Za-z]+"/g)
      ?.sort()
      .join(),
    '"reason":"MinimumReplicasAvailable","reason":"NewReplicaSetAvailable"',
  )
  assert.deepEqual(bench.events('Deployment'), [`ScalingReplicaSet: Scaled up replica set ${nameOf(set)} from 0 to 3`])
  assert.equal(
    bench.events('ReplicaSet').filter((each) => each.startsWith('SuccessfulCreate: Created pod: web-')).length,
    3,
  )
  assert.equal(revision(bench.now(web())), '1')
})

test('once all is as it should be nothing is written any more', async () => {
  await using bench = await deployed()
  const { version } = bench.api.store
  await bench.live(30)
  await bench.restart()
  await bench.live(30)
  assert.equal(bench.api.store.version, version)
})

test('a pod that is taken away, or ends, is made anew', async () => {
  await using bench = await deployed()
  const [first] = bench.pods()
  assert.ok(first)
  await bench.remove(first)
  await bench.settle()
  assert.equal(bench.pods().length, 3)
  assert.ok(!bench.get(first))
})

test('it is scaled up and down', async () => {
  await using bench = await deployed()
  await bench.ask(web(), { replicas: 5 })
  await bench.settle()
  assert.deepEqual([bench.pods().length, bench.status(web())['availableReplicas']], [5, 5])
  await bench.ask(web(), { replicas: 1 })
  await bench.settle()
  assert.deepEqual([bench.pods().length, sets(bench)], [1, ['1:1']])
  await bench.ask(web(), { replicas: 0 })
  await bench.settle()
  assert.deepEqual([bench.pods().length, bench.status(web())['replicas']], [0, undefined])
})

test('a new image comes step by step, and the old replica set stays to go back to', async () => {
  await using bench = await deployed()
  const counts: number[] = []
  using _ = bench.api.store.onChange(() => void counts.push(bench.pods().filter((pod) => !isDeleting(pod)).length))
  await bench.ask(web(), image('nginx:2'))
  await bench.settle()
  assert.deepEqual([running(bench, 'nginx:1'), running(bench, 'nginx:2')], [0, 3])
  assert.deepEqual(sets(bench), ['1:0', '2:3'])
  assert.ok(Math.max(...counts) <= 4 && Math.min(...counts) >= 3, String(counts))
  assert.equal(reason(bench, 'Progressing'), 'NewReplicaSetAvailable')
  await bench.ask(web(), image('nginx:1'))
  await bench.settle()
  assert.deepEqual(sets(bench), ['2:0', '3:3'])
  assert.equal(revision(bench.now(web())), '3')
})

test('an image that never gets ready is stuck after its deadline, and the old pods serve on', async () => {
  const play = (pod: ApiObject): Play => (imageOf(pod).includes('broken') ? 'ignore' : 'run')
  await using bench = await deployed({ progressDeadlineSeconds: 30 }, play)
  await bench.ask(web(), image('broken'))
  await bench.settle()
  assert.deepEqual([running(bench, 'nginx:1'), running(bench, 'broken')], [3, 1])
  assert.match(String(reason(bench, 'Progressing')), /^(NewReplicaSetCreated|ReplicaSetUpdated)$/)
  await bench.live(40)
  assert.equal(reason(bench, 'Progressing'), 'ProgressDeadlineExceeded')
  assert.equal(conditionOf(bench.now(web()), 'Progressing')?.['status'], 'False')
  await bench.ask(web(), image('nginx:1'))
  await bench.settle()
  assert.deepEqual([running(bench, 'nginx:1'), running(bench, 'broken')], [3, 0])
  assert.equal(reason(bench, 'Progressing'), 'NewReplicaSetAvailable')
})

test('while it is paused nothing new comes, but it is scaled', async () => {
  await using bench = await deployed()
  await bench.ask(web(), { paused: true, ...image('nginx:2') })
  await bench.settle()
  assert.equal(reason(bench, 'Progressing'), 'DeploymentPaused')
  assert.deepEqual(sets(bench), ['1:3'])
  await bench.ask(web(), { replicas: 4 })
  await bench.settle()
  assert.deepEqual(sets(bench), ['1:4'])
  await bench.ask(web(), { paused: false })
  await bench.settle()
  assert.deepEqual([running(bench, 'nginx:2'), sets(bench)], [4, ['1:0', '2:4']])
})

test('with Recreate no new pod is made before the last old one has ended', async () => {
  await using bench = await deployed({ strategy: { type: 'Recreate' } })
  let mixed = 0
  using _ = bench.api.store.onChange(() => {
    if (running(bench, 'nginx:1') > 0 && running(bench, 'nginx:2') > 0) mixed++
  })
  await bench.ask(web(), image('nginx:2'))
  await bench.settle()
  assert.deepEqual([running(bench, 'nginx:2'), mixed], [3, 0])
})

test('only as many old revisions stay as it says', async () => {
  await using bench = await deployed({ revisionHistoryLimit: 2 })
  for (const tag of ['2', '3', '4', '5']) {
    await bench.ask(web(), image(`nginx:${tag}`))
    await bench.settle()
  }
  assert.deepEqual(sets(bench), ['3:0', '4:0', '5:3'])
})

test('pods count as available only after they were ready long enough', async () => {
  await using bench = await deployed({ minReadySeconds: 10 })
  assert.deepEqual([bench.status(web())['readyReplicas'], bench.status(web())['availableReplicas']], [3, undefined])
  await bench.live(12)
  assert.equal(bench.status(web())['availableReplicas'], 3)
})

test('pods of nobody that fit are adopted, and those that do not fit any more are let go', async () => {
  await using bench = await startWorkloadBench(['edge-1'])
  const stray: ApiObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'stray', namespace: 'default', labels: { app: 'db' } },
    spec: { containers: [{ name: 'main', image: 'nginx:1' }] },
  }
  await bench.create(stray)
  const db = workload('ReplicaSet', 'db', { replicas: 2 })
  await bench.create(db)
  await bench.settle()
  assert.equal(bench.pods().length, 2)
  assert.deepEqual(
    ownersOf(bench.now(stray)).map(({ name }) => name),
    ['db'],
  )
  await bench.edit(stray, '', (pod) => withMetadata(pod, { labels: { app: 'other' } }))
  await bench.settle()
  assert.deepEqual([bench.pods().length, ownersOf(bench.now(stray)).length], [3, 0])
})

test('two deployments whose template has one hash do not get in each other’s way', async () => {
  await using bench = await deployed()
  const [set] = bench.all('apps/replicasets')
  assert.ok(set)
  const taken = { ...workload('ReplicaSet', nameOf(set), { replicas: 0 }) }
  await bench.remove(web())
  await bench.settle()
  await bench.create(taken)
  await bench.create(web())
  await bench.live(5)
  assert.equal(bench.status(web())['collisionCount'], 1)
  assert.equal(bench.status(web())['availableReplicas'], 3)
})
