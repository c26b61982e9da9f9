import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../schemas/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from './testing/containerd.ts'
import { EdgedBench } from './testing/edged-bench.ts'

const pod = (name: string, spec: JsonObject, metadata: JsonObject = {}): JsonObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'shop', uid: `uid-of-${name}`, ...metadata },
  spec: { terminationGracePeriodSeconds: 2, ...spec },
})
const app = (script: string, more: JsonObject = {}) => ({
  name: 'app',
  image: TEST_IMAGE,
  command: ['sh', '-c', `trap 'exit 0' TERM; ${script}`],
  ...more,
})
const STAYS = 'while :; do sleep 1 & wait $!; done'

test('a pod runs, is seen, ends when the cloud wants it, and leaves nothing', {
  skip: needsContainerd(),
  timeout: 120_000,
}, async (t) => {
  const containerd = await startContainerd({ subnet: '10.233.21.0/24' })
  const bench = new EdgedBench({ runtime: containerd.socket, directory: temporaryFolder() })
  t.after(async () => {
    await bench[Symbol.asyncDispose]()
    await containerd[Symbol.asyncDispose]()
  })
  await bench.start()
  const till = pod('till', { containers: [app(STAYS)] })
  bench.assign(till)
  await bench.phase('shop/till', 'Running')
  bench.assign(
    pod(
      'till',
      { containers: [app(STAYS)] },
      { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 2 },
    ),
  )
  await bench.reported('shop/till', ({ isFinished }) => isFinished === true)
  bench.unassign('shop/till')
  await bench.retracted('shop/till')
  assert.deepEqual(await containerd.runtime.listSandboxes(), [])
})
