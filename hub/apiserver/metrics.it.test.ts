import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { kubectl } from './testing/kubectl.ts'
import { ask } from './testing/request.ts'
import { serveTestApi } from './testing/serve.ts'
import { podAtKubelet, serveKubelet } from './testing/served-kubelet.ts'

const skip = needs('kubectl')
const NODES = '/apis/metrics.k8s.io/v1beta1/nodes'
const PODS = '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods'

test('kubectl top shows nodes, pods and their containers, by labels too', { skip }, async (t) => {
  const { api } = await served(t, () => summary())
  await ask(api, {
    method: 'PATCH',
    path: '/api/v1/namespaces/default/pods/web',
    body: { metadata: { labels: { app: 'web' } } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  const top = async (...words: string[]) => (await kubectl(api, ['top', ...words])).out.replaceAll(/ +/g, ' ')
  // Newer ones write <unknown> where the node tells no capacity.
  assert.match(await top('nodes'), /\nedge 250m (<unknown> )?512Mi (<unknown> )?\n$/)
  assert.equal(await top('pods', '-l', 'app=web'), 'NAME CPU(cores) MEMORY(bytes) \nweb 30m 48Mi \n')
  assert.equal(
    await top('pods', '--containers'),
    'POD NAME CPU(cores) MEMORY(bytes) \nweb main 10m 16Mi \nweb side 20m 32Mi \n',
  )
  assert.match((await kubectl(api, ['top', 'pods', '-l', 'app=other'])).err, /No resources found in default namespace/)
})

test('what nobody has measured is not available yet, in the words of upstream', { skip }, async (t) => {
  const { api, asked } = await served(t, () => undefined)
  const { code, err } = await kubectl(api, ['top', 'nodes'])
  assert.deepEqual([code, err], [1, 'error: metrics not available yet\n'])
  const one = await ask(api, { path: `${PODS}/web` })
  assert.deepEqual([one.status, Object(one.json).message], [404, 'podmetrics.metrics.k8s.io "default/web" not found'])
  assert.equal((await ask(api, { path: `${PODS}/none` })).status, 404)
  assert.equal((await ask(api, { path: NODES, method: 'POST', body: {} })).status, 405)
  assert.ok(asked.every(({ url }) => url === '/stats/summary'))
})

test('a node that has not measured a rate yet is asked again; whoever asks soon after gets the same', async (t) => {
  let looks = 0
  const { api, asked } = await served(t, () => summary(looks++ > 0))
  const list = await ask(api, { path: NODES })
  assert.deepEqual(Object(list.json).items[0].usage, { cpu: '250000000n', memory: '524288Ki' })
  const pods = await ask(api, { path: PODS })
  assert.equal(Object(pods.json).items.length, 1)
  assert.equal(asked.length, 2)
})

test('nodes that are not ready are not asked', async (t) => {
  const { api, asked } = await served(t, () => summary())
  await ask(api, {
    method: 'PATCH',
    path: '/api/v1/nodes/edge/status',
    body: { status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } },
    headers: { 'content-type': 'application/merge-patch+json' },
  })
  assert.deepEqual(Object((await ask(api, { path: NODES })).json).items, [])
  assert.equal(asked.length, 0)
})

test('discovery names the group as an aggregated API does', async (t) => {
  const { api } = await served(t, () => undefined)
  const { json } = await ask(api, { path: '/apis/metrics.k8s.io/v1beta1' })
  assert.deepEqual(Object(json).resources, [
    { name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs: ['get', 'list'] },
    { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs: ['get', 'list'] },
  ])
})

function summary(isMeasured = true): object {
  const use = (nanoCores: number, bytes: number) => ({
    cpu: {
      time: '2026-01-01T00:00:00Z',
      usageCoreNanoSeconds: 1_000_000_000,
      ...(isMeasured ? { usageNanoCores: nanoCores } : {}),
    },
    memory: { workingSetBytes: bytes },
  })
  const mega = 1024 * 1024
  return {
    node: { nodeName: 'edge', ...use(250_000_000, 512 * mega) },
    pods: [
      {
        podRef: { namespace: 'default', name: 'web' },
        containers: [
          { name: 'main', ...use(10_000_000, 16 * mega) },
          { name: 'side', ...use(20_000_000, 32 * mega) },
        ],
      },
    ],
  }
}

async function served(t: TestContext, told: () => object | undefined) {
  const api = await serveTestApi(t)
  const kubelet = await serveKubelet(t, api, {
    command: async () => 0,
    answer: (_request, response) => {
      const said = told()
      if (said) response.end(JSON.stringify(said))
      else response.writeHead(503).end()
    },
  })
  await podAtKubelet(api, kubelet.port, { containers: ['main', 'side'] })
  return { api, asked: kubelet.asked }
}
