import assert from 'node:assert/strict'
import { readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { JsonObject } from '../../schemas/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { listIn, textIn } from './pod/json.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from './testing/containerd.ts'
import { EdgedBench } from './testing/edged-bench.ts'

const pod = (name: string, spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid: `uid-of-${name}`, ...metadata },
  spec: { terminationGracePeriodSeconds: 2, ...spec },
})
const STAYS = {
  name: 'app',
  image: TEST_IMAGE,
  command: ['sh', '-c', "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"],
}

test('a pod runs, is seen, ends when the cloud wants it, and leaves nothing', {
  skip: needsContainerd(),
  timeout: 120_000,
}, async (t) => {
  const containerd = await startContainerd({ subnet: '10.233.21.0/24' })
  const directory = temporaryFolder()
  const bench = new EdgedBench({ runtime: containerd.socket, directory })
  t.after(async () => {
    await bench[Symbol.asyncDispose]()
    await containerd[Symbol.asyncDispose]()
  })
  await bench.start()
  bench.assign(pod('till', { containers: [STAYS] }))
  const { status, uid } = await bench.phase('shop/till', 'Running')
  assert.equal(uid, 'uid-of-till')
  assert.match(textIn(status, 'podIP') ?? '', /^10\.233\.21\.\d+$/)
  const [container] = listIn(status, 'containerStatuses')
  assert.match(textIn(container, 'containerID') ?? '', /^containerd:\/\/[0-9a-f]{64}$/)

  const deletion = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 2 }
  bench.assign(pod('till', { containers: [STAYS] }, deletion))
  const ended = await bench.reported('shop/till', ({ isFinished }) => isFinished === true)
  assert.equal(textIn(ended.status, 'phase'), 'Succeeded')
  bench.unassign('shop/till')
  await bench.retracted('shop/till')
  assert.deepEqual(await containerd.runtime.listSandboxes(), [])
  assert.deepEqual(await containerd.runtime.listContainers(), [])
  assert.deepEqual(readdirSync(join(directory, 'pods')), [])
  for (const reason of ['Pulled', 'Created', 'Started', 'Killing']) {
    assert.ok(
      bench.events.some((event) => event.startsWith(`${reason}: `)),
      `${reason} in ${bench.events.join('\n')}`,
    )
  }
})

test('without a container runtime a pod waits and says what is missing, and one that comes later is found', {
  skip: needsContainerd(),
  timeout: 120_000,
}, async (t) => {
  const directory = temporaryFolder()
  const socket = join(directory, 'later.sock')
  const bench = new EdgedBench({ runtime: socket, directory: join(directory, 'edged') })
  t.after(() => bench[Symbol.asyncDispose]())
  await bench.start()
  // Nothing else is made before a pod or a runtime is there.
  assert.deepEqual(readdirSync(join(directory, 'edged')), ['edged.sock'])
  bench.assign(pod('till', { containers: [STAYS] }))
  const missing = ({ status }: { status: JsonObject }) => textIn(status, 'reason') === 'ContainerRuntimeMissing'
  const { status } = await bench.reported('shop/till', missing)
  assert.equal(textIn(status, 'phase'), 'Pending')
  assert.match(textIn(status, 'message') ?? '', /no container runtime/i)
  const containerd = await startContainerd({ subnet: '10.233.22.0/24' })
  t.after(() => containerd[Symbol.asyncDispose]())
  symlinkSync(containerd.socket, socket)
  await bench.phase('shop/till', 'Running')
  bench.unassign('shop/till')
  await bench.retracted('shop/till')
})
