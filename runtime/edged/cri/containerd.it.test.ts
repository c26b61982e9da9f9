import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from '../testing/containerd.ts'
import type { ContainerConfig, SandboxConfig } from './runtime.ts'

test('a real containerd runs, tells of and ends what it is told to', {
  skip: needsContainerd(),
  timeout: 180_000,
}, async (t) => {
  const containerd = await startContainerd({ subnet: '10.233.11.0/24' })
  t.after(() => containerd[Symbol.asyncDispose]())
  const { runtime, folder } = containerd
  const { name, apiVersion } = await runtime.version()
  assert.deepEqual([name, apiVersion], ['containerd', 'v1'])

  const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const
  const logDirectory = join(folder, 'logs')
  const sandboxConfig: SandboxConfig = {
    metadata: { name: 'till', uid: 'u-1', namespace: 'shop', attempt: 0 },
    ...{ hostname: 'till', logDirectory, labels: { 'io.kubernetes.pod.uid': 'u-1' } },
    linux: { securityContext: { namespaceOptions } },
  }
  const sandbox = await runtime.runSandbox(sandboxConfig, '')
  const status = await runtime.sandboxStatus(sandbox)
  assert.equal(status?.isReady, true)
  assert.match(status?.ips[0] ?? '', /^10\.233\.11\.\d+$/)

  const config: ContainerConfig = {
    metadata: { name: 'counter', attempt: 1 },
    image: { image: TEST_IMAGE },
    command: ['sh', '-c', "trap 'exit 7' TERM; echo begun on $(hostname); while :; do sleep 1 & wait $!; done"],
    envs: [{ key: 'GREETING', value: Buffer.from('grüß dich') }],
    logPath: 'counter.log',
    linux: {
      resources: { memoryLimitInBytes: 32 * 1024 * 1024, cpuShares: 102 },
      securityContext: { namespaceOptions },
    },
  }
  const container = await runtime.createContainer(sandbox, config, sandboxConfig)
  assert.equal((await runtime.containerStatus(container))?.state, 'created')
  await runtime.startContainer(container)
  const running = await runtime.containerStatus(container)
  assert.deepEqual(
    [running?.state, running?.metadata, running?.image],
    ['running', { name: 'counter', attempt: 1 }, TEST_IMAGE],
  )
  assert.deepEqual(
    (await runtime.listContainers()).map(({ id, sandbox: of }) => [id, of]),
    [[container, sandbox]],
  )
  assert.deepEqual(
    (await runtime.listSandboxes({ 'io.kubernetes.pod.uid': 'u-1' })).map(({ id }) => id),
    [sandbox],
  )

  const said = await runtime.execSync(container, ['sh', '-c', 'echo $GREETING; echo no >&2; exit 3'], seconds(10))
  assert.deepEqual([said.exitCode, `${said.stdout}`, `${said.stderr}`], [3, 'grüß dich\n', 'no\n'])
  await assert.rejects(runtime.execSync(container, ['sleep', '60'], seconds(1)), { code: 'EDGED_EXEC_TIMEOUT' })
  const [stats] = await runtime.containerStats()
  assert.ok(stats?.id === container && stats.memoryBytes > 0 && stats.cpuNanoseconds > 0)

  // Containers run on without it, and it finds them again.
  await containerd.kill()
  await containerd.start()
  assert.equal((await runtime.containerStatus(container))?.state, 'running')

  await runtime.stopContainer(container, seconds(20))
  const ended = await runtime.containerStatus(container)
  assert.deepEqual([ended?.state, ended?.exitCode, ended?.reason], ['exited', 7, 'Error'])
  assert.match(await readFile(join(logDirectory, 'counter.log'), 'utf8'), /stdout F begun on till\n/)
  await runtime.removeContainer(container)
  assert.equal(await runtime.containerStatus(container), undefined)
  await runtime.stopSandbox(sandbox)
  await runtime.removeSandbox(sandbox)
  assert.deepEqual(await runtime.listSandboxes(), [])
  await assert.rejects(runtime.pullImage('127.0.0.1:1/nothing:1', undefined), { code: 'EDGED_RUNTIME_REFUSED' })
})
