import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { minutes } from '../../platform/time/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { anApiProcess } from './testing/forked-api.ts'
import { at, done, until } from './testing/objects.ts'
import { playNodes } from './testing/played-nodes.ts'
import { serveApi } from './testing/serve.ts'

const JOBS = '/apis/batch/v1/namespaces/default/jobs'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const PODS = '/api/v1/namespaces/default/pods'
const NODES = ['edge-1', 'edge-2']

const container = (image: string) => ({ containers: [{ name: 'main', image }] })
const JOB = {
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'sum' },
  spec: {
    completions: 40,
    parallelism: 8,
    completionMode: 'Indexed',
    template: { spec: { restartPolicy: 'Never', ...container('job') } },
  },
}
const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    replicas: 6,
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: container('nginx:1') },
  },
}

test('kill -9 in the midst of a job and a rollout: each index is done once, and no pod is left over', async (t) => {
  const directory = temporaryFolder('skerry-api-')
  const { child, api } = await anApiProcess(t, directory)
  const play = (pod: object) => (JSON.stringify(pod).includes('"image":"job"') ? 'succeed' : 'run')
  const nodes = await playNodes(api, NODES, play)
  await done(api, { method: 'POST', path: DEPLOYMENTS, body: DEPLOYMENT })
  await until(api, `${DEPLOYMENTS}/web`, (object) => at(object, 'status', 'availableReplicas') === 6)
  await done(api, { method: 'POST', path: JOBS, body: JOB })
  const headers = { 'content-type': 'application/strategic-merge-patch+json' }
  const body = { spec: { template: { spec: container('nginx:2') } } }
  await done(api, { method: 'PATCH', path: `${DEPLOYMENTS}/web`, headers, body })
  await until(api, `${JOBS}/sum`, (object) => Number(at(object, 'status', 'succeeded') ?? 0) >= 5)
  child.kill('SIGKILL')
  await once(child, 'exit')
  nodes[Symbol.dispose]()

  await using again = await serveApi(directory, { nodeGrace: minutes(60) })
  using _ = await playNodes(again, NODES, play)
  const isComplete = (object: unknown) =>
    JSON.stringify(at(object, 'status', 'conditions') ?? []).includes('"Complete"')
  const job = await until(again, `${JOBS}/sum`, isComplete)
  assert.deepEqual(
    [at(job, 'status', 'succeeded'), at(job, 'status', 'failed'), at(job, 'status', 'completedIndexes')],
    [40, undefined, '0-39'],
  )
  const isRolledOut = (object: unknown) =>
    ['replicas', 'updatedReplicas', 'availableReplicas'].every((field) => at(object, 'status', field) === 6)
  await until(again, `${DEPLOYMENTS}/web`, isRolledOut)
  const pods = at(await done(again, { path: PODS }), 'items')
  assert.ok(Array.isArray(pods))
  const images = pods.map((pod) => String(at(pod, 'spec', 'containers', 0, 'image')))
  assert.deepEqual(
    [images.filter((image) => image === 'nginx:1').length, images.filter((image) => image === 'nginx:2').length],
    [0, 6],
  )
  const indexes = pods.flatMap((pod) => at(pod, 'metadata', 'labels', 'batch.kubernetes.io/job-completion-index') ?? [])
  assert.equal(new Set(indexes).size, 40)
  assert.equal(indexes.length, 40)
})
