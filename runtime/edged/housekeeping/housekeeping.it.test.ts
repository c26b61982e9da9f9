import assert from 'node:assert/strict'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { silentLogger } from '../../../platform/log/index.ts'
import { ms, seconds, systemClock } from '../../../platform/time/index.ts'
import type { ContainerConfig, SandboxConfig } from '../cri/runtime.ts'
import { Places } from '../places.ts'
import { LABELS, podLabels } from '../state/labels.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from '../testing/containerd.ts'
import { createContainerGc } from './container-gc.ts'
import { createImageGc } from './image-gc.ts'
import { rotatedLogs } from './log-files.ts'
import { createLogRotation } from './log-rotation.ts'

const OWNER = 'edge-1'
const PATIENCE_MS = 60_000
const PAUSE_IMAGE = 'skerry.test/pause:1'

test('with a real runtime logs begin anew without a line lost, and of a pod that is gone nothing stays', {
  skip: needsContainerd(),
  timeout: 180_000,
}, async () => {
  await using containerd = await startContainerd({ subnet: '10.233.12.128/25' })
  const { runtime, folder } = containerd
  const ports = { runtime, owner: OWNER, clock: systemClock, log: silentLogger }
  const places = new Places(join(folder, 'edged'), join(folder, 'pods-logs'))
  const pod = { uid: 'u-1', name: 'till', namespace: 'shop' }
  const { signal } = new AbortController()
  const namespaceOptions = { network: 'NODE', pid: 'CONTAINER', ipc: 'POD' } as const
  const linux = { securityContext: { namespaceOptions } }
  const labels = podLabels(pod, OWNER)
  const sandboxConfig: SandboxConfig = {
    metadata: { ...pod, attempt: 0 },
    ...{ logDirectory: places.podLogs(pod), labels, linux },
  }
  const sandbox = await runtime.runSandbox(sandboxConfig, '')
  const start = async (attempt: number, script: string) => {
    const config: ContainerConfig = {
      metadata: { name: 'app', attempt },
      image: { image: TEST_IMAGE },
      command: ['sh', '-c', script],
      labels: { ...labels, [LABELS.containerName]: 'app' },
      ...{ logPath: places.containerLog('app', attempt), linux },
    }
    const id = await runtime.createContainer(sandbox, config, sandboxConfig)
    await runtime.startContainer(id)
    return id
  }
  const ended = await start(0, 'echo over')
  const running = await start(1, 'i=0; while :; do echo line $i; i=$((i+1)); sleep 0.02; done')
  const path = join(places.podLogs(pod), 'app', '1.log')
  await until(async () => (await runtime.containerStatus(ended))?.state === 'exited')

  const rotation = createLogRotation(ports, { maxBytes: 200, maxFiles: 4 })
  for (let round = 0; round < 3; round++) {
    await until(async () => (await stat(path)).size > 200)
    await rotation.run(signal)
    await rotation.compress(signal)
  }
  await until(async () => (await stat(path)).size > 200)
  await runtime.stopContainer(running, seconds(1))
  const { rotated, temporary } = await rotatedLogs(path)
  assert.deepEqual([rotated.map((each) => each.endsWith('.gz')), temporary], [[true, true, false], []])
  const parts = await Promise.all([...rotated, path].map(async (each) => [each, await readFile(each)] as const))
  const text = parts
    .map(([name, bytes]) => (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8'))
    .join('')
  const lines = [...text.matchAll(/stdout F line (\d+)\n/g)].map(([, number]) => Number(number))
  assert.deepEqual(
    lines,
    lines.map((_line, at) => at),
  )

  const living = new Set([pod.uid])
  const gc = createContainerGc({ ...ports, places, pods: () => living }, { minimumAge: ms(0) })
  assert.deepEqual(await gc.run(signal), { containers: 1, sandboxes: 0, logFolders: 0 })
  assert.equal(await runtime.containerStatus(ended), undefined)
  assert.equal((await readdir(join(places.podLogs(pod), 'app'))).includes('0.log'), false)
  await runtime.stopSandbox(sandbox)
  living.clear()
  assert.deepEqual(await gc.run(signal), { containers: 1, sandboxes: 1, logFolders: 1 })
  assert.deepEqual([await runtime.listContainers(), await runtime.listSandboxes()], [[], []])
  assert.deepEqual(await readdir(places.logs), [])

  const images = createImageGc({ ...ports, wanted: () => [] }, { minimumAge: ms(0), highPercent: 0, lowPercent: 0 })
  assert.equal((await images.run(signal)).images, 1)
  assert.equal(await runtime.imageStatus(TEST_IMAGE), undefined)
  assert.notEqual(await runtime.imageStatus(PAUSE_IMAGE), undefined)
})

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error('it did not come true')
    await pause(20)
  }
}
