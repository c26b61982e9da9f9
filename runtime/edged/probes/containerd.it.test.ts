import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { SandboxConfig } from '../cri/runtime.ts'
import { createHooks } from '../hooks/create-hooks.ts'
import { needsContainerd, startContainerd, TEST_IMAGE } from '../testing/containerd.ts'
import { firstContainer, testPod } from '../testing/test-pod.ts'
import { askContainer } from './ask.ts'

const LISTENER = 'echo well >/www/health; httpd -p 8080 -h /www; touch /ready; sleep 600'

test('a container of a real runtime is asked by command, HTTP and TCP, and runs its hooks', {
  skip: needsContainerd(),
  timeout: 180_000,
}, async (t) => {
  const containerd = await startContainerd({ subnet: '10.233.13.0/24' })
  t.after(() => containerd[Symbol.asyncDispose]())
  const { runtime } = containerd
  const namespaceOptions = { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } as const
  const linux = { securityContext: { namespaceOptions } }
  const metadata = { name: 'till', uid: 'u-1', namespace: 'shop', attempt: 0 }
  const sandboxConfig: SandboxConfig = { metadata, linux }
  const sandbox = await runtime.runSandbox(sandboxConfig, '')
  const podIp = (await runtime.sandboxStatus(sandbox))?.ips[0] ?? ''
  const config = {
    metadata: { name: 'app', attempt: 0 },
    image: { image: TEST_IMAGE },
    command: ['sh', '-c', `mkdir /www; ${LISTENER}`],
    linux,
  }
  const containerId = await runtime.createContainer(sandbox, config, sandboxConfig)
  await runtime.startContainer(containerId)

  const { signal } = new AbortController()
  const ask = (livenessProbe: JsonObject) => {
    const container = firstContainer(testPod({ livenessProbe: { timeoutSeconds: 30, ...livenessProbe } }))
    assert.ok(container.livenessProbe)
    return askContainer(
      container.livenessProbe,
      { container, containerId, podIp },
      { runtime, clock: systemClock },
      signal,
    )
  }
  const command = (...words: string[]) => ({ exec: { command: words } })
  const untilReady = command('sh', '-c', 'until [ -e /ready ]; do sleep 0.05; done')
  assert.deepEqual(await ask(untilReady), { result: 'success', text: '' })
  assert.deepEqual(await ask(command('sh', '-c', 'echo out; echo err >&2; exit 4')), {
    result: 'failure',
    text: 'out\nerr\n',
  })
  assert.deepEqual(await ask({ ...command('sleep', '60'), timeoutSeconds: 1 }), {
    result: 'failure',
    text: 'command timed out: "sleep 60" timed out after 1s',
  })
  const missing = await ask(command('/no/such/program'))
  assert.equal(missing.result, 'unknown')
  assert.match(missing.text, /no such file or directory/)
  assert.deepEqual(await ask({ httpGet: { path: '/health', port: 8080 } }), { result: 'success', text: '' })
  assert.equal((await ask({ httpGet: { path: '/gone', port: 8080 } })).text, 'HTTP probe failed with statuscode: 404')
  assert.equal((await ask({ tcpSocket: { port: 8080 } })).result, 'success')
  assert.match((await ask({ tcpSocket: { port: 8081 } })).text, /:8081: connect: connection refused$/)

  const hooks = createHooks({ runtime, clock: systemClock })
  const pod = testPod()
  const target = { pod, container: firstContainer(pod), containerId, podIp }
  await hooks.run({ exec: { command: ['touch', '/drained'] } }, target, signal)
  assert.equal((await ask(command('sh', '-c', '[ -e /drained ]'))).result, 'success')
  await assert.rejects(hooks.run({ exec: { command: ['sh', '-c', 'echo full >&2; exit 9'] } }, target, signal), {
    message: /error: command 'sh -c echo full >&2; exit 9' exited with 9: full\n, message: "full\\n"$/,
  })
  // Its deadline ends the command, too.
  const end = new AbortController()
  const hung = hooks.run({ exec: { command: ['sh', '-c', 'touch /hung; exec sleep 601'] } }, target, end.signal)
  const refused = assert.rejects(hung, { message: /context deadline exceeded/ })
  await ask(command('sh', '-c', 'until [ -e /hung ]; do sleep 0.05; done'))
  end.abort()
  await refused
  const untilEnded = command('sh', '-c', 'while ps | grep -q "[s]leep 601"; do sleep 0.05; done')
  assert.equal((await ask(untilEnded)).result, 'success')
})
