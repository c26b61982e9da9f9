import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ApiForPods, type ApiForPodsQuestion, apiForPods, type JsonObject } from '../../../schemas/index.ts'
import { PodsBench } from '../testing/pods-bench.ts'

/** The environment of the container of a pod, as the runtime was told. */
async function environmentIn(spec: JsonObject, answer?: (question: ApiForPodsQuestion) => Promise<ApiForPods>) {
  const bench = new PodsBench()
  using _server = answer && bench.bus.serve(apiForPods, answer)
  await bench.start()
  bench.assign(spec)
  await bench.secondsUntil(() => bench.said === 'Running app=Running')
  const [container] = [...bench.cri.containers.values()]
  const envs: unknown = Reflect.get(container?.config ?? {}, 'envs')
  const log = bench.log.messages('warn')
  await bench.stop()
  assert.ok(Array.isArray(envs))
  return { values: Object.fromEntries(envs.map(({ key, value }) => [key, Buffer.from(value).toString()])), log }
}

const TOLD = {
  KUBERNETES_SERVICE_HOST: '169.254.30.10',
  KUBERNETES_SERVICE_PORT: '10550',
  KUBERNETES_SERVICE_PORT_HTTPS: '10550',
  KUBERNETES_PORT: 'tcp://169.254.30.10:10550',
  KUBERNETES_PORT_443_TCP: 'tcp://169.254.30.10:10550',
  KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
  KUBERNETES_PORT_443_TCP_PORT: '10550',
  KUBERNETES_PORT_443_TCP_ADDR: '169.254.30.10',
}
const PLACE = { host: '169.254.30.10', port: 10550 }
const API = /is not told of the Kubernetes API/

test('containers are told where the Kubernetes API of this node is, for their network and namespace', async () => {
  const asked: ApiForPodsQuestion[] = []
  const answer = async (question: ApiForPodsQuestion) => {
    asked.push(question)
    return PLACE
  }
  assert.deepEqual((await environmentIn({}, answer)).values, TOLD)
  await environmentIn({ hostNetwork: true }, answer)
  assert.deepEqual(asked, [
    { network: 'pod', namespace: 'shop' },
    { network: 'host', namespace: 'shop' },
  ])
})

test('what the spec of a pod says itself goes before', async () => {
  const env = [{ name: 'KUBERNETES_SERVICE_HOST', value: 'api.example' }]
  const containers = [{ name: 'app', image: 'till:1', env }]
  const { values } = await environmentIn({ containers }, async () => PLACE)
  assert.deepEqual(values, { ...TOLD, KUBERNETES_SERVICE_HOST: 'api.example' })
})

test('a pod starts without them where the API is not served, and the log says why', async () => {
  const refused = await environmentIn({}, async () => ({ refusal: 'there is no certificate yet' }))
  assert.deepEqual(refused.values, {})
  assert.ok(refused.log.some((line) => API.test(line)))
  const failed = await environmentIn({}, async () => {
    throw new Error('out of order')
  })
  assert.deepEqual(failed.values, {})
  const off = await environmentIn({})
  assert.deepEqual(off.values, {})
  assert.ok(!off.log.some((line) => API.test(line)), 'MetaServer that is off is no trouble')
})
