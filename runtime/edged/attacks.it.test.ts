import assert from 'node:assert/strict'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { seconds } from '../../platform/time/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { LABELS } from './state/labels.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from './testing/containerd.ts'
import { EdgedBench } from './testing/edged-bench.ts'

const STAYS = "trap 'exit 0' TERM; while :; do sleep 1 & wait $!; done"
const APP = { name: 'app', image: TEST_IMAGE, command: ['sh', '-c', STAYS] }

function podOf(metadata: JsonObject, containers: readonly JsonObject[] = [APP]): JsonObject {
  const spec = { terminationGracePeriodSeconds: 1, dnsPolicy: 'Default', containers: [...containers] }
  return { metadata: { name: 'till', namespace: 'shop', uid: 'u-1', ...metadata }, spec }
}

const HOSTILE: readonly JsonObject[] = [
  podOf({ name: 'a', uid: '..' }),
  podOf({ name: 'b', uid: '../../x' }),
  podOf({ name: '..', uid: 'u-c' }),
  podOf({ namespace: '../../x', uid: 'u-d' }),
  podOf({ name: 'e', uid: 'u-e' }, [{ ...APP, name: '../../x' }]),
  podOf({ name: 'f', uid: 'u-f' }, [{ ...APP, resources: { limits: { memory: 'much' } } }]),
]

test('a cloud that means harm reaches nothing beyond its pods, and a pod that is bound stays bound', {
  skip: needsContainerd(),
  timeout: 120_000,
}, async (t) => {
  const containerd = await startContainerd({ subnet: '10.233.53.0/24' })
  const folder = temporaryFolder()
  const directory = join(folder, 'edged')
  const bench = new EdgedBench({ runtime: containerd.socket, directory })
  t.after(async () => {
    await bench[Symbol.asyncDispose]()
    await containerd[Symbol.asyncDispose]()
  })
  await bench.start()
  writeFileSync(join(directory, 'precious'), '')
  for (const pod of HOSTILE) {
    bench.assign(pod)
    const key = keyOf(pod)
    const { status } = await bench.phase(key, 'Pending')
    assert.equal(status['reason'], 'NotSupported')
    bench.unassign(key)
    await bench.retracted(key)
  }
  assert.deepEqual(readdirSync(folder), ['edged'])
  assert.ok(existsSync(join(directory, 'precious')))

  const securityContext = {
    ...{ runAsUser: 1000, runAsNonRoot: true, readOnlyRootFilesystem: true, allowPrivilegeEscalation: false },
    ...{ capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } },
  }
  bench.assign(podOf({}, [{ ...APP, securityContext }]))
  await bench.phase('shop/till', 'Running')
  const [container] = await containerd.runtime.listContainers({ [LABELS.podUid]: 'u-1' })
  assert.ok(container)
  const script = 'id -u; grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status; touch /x 2>&1'
  const { stdout } = await containerd.runtime.execSync(container.id, ['sh', '-c', script], seconds(20))
  assert.deepEqual(Buffer.from(stdout).toString().trim().split('\n'), [
    '1000',
    'CapEff:\t0000000000000000',
    'NoNewPrivs:\t1',
    'Seccomp:\t2',
    'touch: /x: Read-only file system',
  ])
})

function keyOf({ metadata }: JsonObject): string {
  const text = (key: string) => String(Reflect.get(Object(metadata), key))
  return `${text('namespace')}/${text('name')}`
}
