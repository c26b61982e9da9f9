import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from '../testing/containerd.ts'
import { EdgedBench } from '../testing/edged-bench.ts'

const SUBNET = '10.233.27.0/24'
const skip = needsContainerd()
const STAYS = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"

const app = (script: string, more: JsonObject = {}) => ({
  ...{ name: 'app', image: TEST_IMAGE, command: ['sh', '-c', script] },
  ...more,
})
const pod = (name: string, containers: readonly JsonObject[], spec: JsonObject = {}): JsonObject => ({
  metadata: { name, namespace: 'shop', uid: `uid-of-${name}` },
  spec: { terminationGracePeriodSeconds: 1, hostNetwork: true, containers, ...spec },
})

async function startBench(t: TestContext) {
  const containerd = await startContainerd({ subnet: SUBNET })
  const bench = new EdgedBench({ runtime: containerd.socket, directory: temporaryFolder() })
  t.after(async () => {
    await bench[Symbol.asyncDispose]()
    await containerd[Symbol.asyncDispose]()
  })
  await bench.start()
  return bench
}

test('of pods that come together those that there is room for run, and those that have ended take none', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const bench = await startBench(t)
  const resources = { requests: { cpu: '1500m' } }
  const names = ['one', 'two']
  for (const name of names) bench.assign(pod(name, [app('sleep 2', { resources })], { restartPolicy: 'Never' }))
  const ended = await Promise.all(
    names.map((name) =>
      bench.reported(`shop/${name}`, ({ status }) => ['Succeeded', 'Failed'].includes(String(status['phase']))),
    ),
  )
  const phases = ended.map(({ status }) => `${status['phase']} ${status['reason'] ?? ''}`.trim())
  assert.deepEqual(phases.sort(), ['Failed OutOfcpu', 'Succeeded'])
  bench.assign(pod('three', [app(STAYS, { resources })]))
  await bench.phase('shop/three', 'Running')
})

test('a container whose hook after its start fails at once is ended, while others of its pod still start', {
  skip,
  timeout: 120_000,
}, async (t) => {
  const bench = await startBench(t)
  const lifecycle = { postStart: { exec: { command: ['/nothing/like/this'] } } }
  const others = ['two', 'three', 'four'].map((name) => app(STAYS, { name }))
  bench.assign(pod('till', [app(STAYS, { lifecycle }), ...others]))
  await bench.reported('shop/till', ({ status }) => JSON.stringify(status).includes('"restartCount":1'))
  assert.ok(bench.events.includes('Killing: FailedPostStartHook'), bench.events.join('\n'))
})

test('without a runtime a pod is told what is missing, and not before it was looked for', {
  timeout: 60_000,
}, async (t) => {
  const directory = temporaryFolder()
  const bench = new EdgedBench({ runtime: `${directory}/none.sock`, directory })
  t.after(() => bench[Symbol.asyncDispose]())
  bench.assign(pod('till', [app(STAYS)]))
  await bench.start()
  const { status } = await bench.reported('shop/till', () => true, seconds(20).milliseconds)
  assert.match(JSON.stringify(status), /ContainerRuntimeMissing.*There is no container runtime on this node/)
  assert.doesNotMatch(`${JSON.stringify(status)}${bench.events.join()}`, /has not been asked/)
})
