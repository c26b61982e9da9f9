import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { Refusal, ScriptedRuntime } from '../testing/scripted-runtime.ts'
import { openContainerRuntime } from './cri-runtime.ts'

const NOT_FOUND = 5
const DEADLINE_EXCEEDED = 4
const INTERNAL = 13

async function open(t: TestContext, clock = systemClock) {
  const server = await ScriptedRuntime.open()
  const runtime = await openContainerRuntime(`unix://${server.socket}`, clock)
  t.after(async () => {
    await runtime[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })
  return { server, runtime }
}

test('what is asked arrives with the standard’s fields, and its answer comes back', { timeout: 30_000 }, async (t) => {
  const { server, runtime } = await open(t)
  await server.start()
  server.scripts['RunPodSandbox'] = () => ({ podSandboxId: 's-1' })
  const metadata = { name: 'till', uid: 'u-1', namespace: 'shop', attempt: 2 }
  const portMappings = [{ protocol: 'UDP', containerPort: 53, hostPort: 5353 }] as const
  const linux = {
    securityContext: { runAsUser: { value: 0 }, namespaceOptions: { network: 'NODE', pid: 'POD', ipc: 'NODE' } },
  } as const
  assert.equal(await runtime.runSandbox({ metadata, portMappings, labels: { a: 'b' }, linux }, 'gvisor'), 's-1')
  const [call] = server.calls
  const { config, runtimeHandler } = Object(call?.request)
  assert.deepEqual(
    [call?.method, runtimeHandler, config.metadata, config.labels],
    ['RunPodSandbox', 'gvisor', metadata, { a: 'b' }],
  )
  assert.deepEqual(config.portMappings, [{ protocol: 'UDP', containerPort: 53, hostPort: 5353, hostIp: '' }])
  assert.deepEqual(config.linux.securityContext.runAsUser, { value: 0 })
  assert.equal(config.linux.securityContext.namespaceOptions.network, 'NODE')
})

test('what the runtime does not know is nothing, and to take it away is done', { timeout: 30_000 }, async (t) => {
  const { server, runtime } = await open(t)
  await server.start()
  for (const method of [
    'PodSandboxStatus',
    'ContainerStatus',
    'StopPodSandbox',
    'RemovePodSandbox',
    'StopContainer',
    'RemoveContainer',
    'RemoveImage',
  ]) {
    server.scripts[method] = () => {
      throw new Refusal(NOT_FOUND, 'an error occurred when try to find it: not found')
    }
  }
  server.scripts['ImageStatus'] = () => ({})
  assert.deepEqual(
    [await runtime.sandboxStatus('x'), await runtime.containerStatus('x'), await runtime.imageStatus('x')],
    [undefined, undefined, undefined],
  )
  await runtime.stopSandbox('x')
  await runtime.removeSandbox('x')
  await runtime.stopContainer('x', seconds(1))
  await runtime.removeContainer('x')
  await runtime.removeImage('x')
})

test('a refusal is in the runtime’s words; a command that takes too long is told from one that fails', {
  timeout: 30_000,
}, async (t) => {
  const { server, runtime } = await open(t)
  await server.start()
  server.scripts['CreateContainer'] = () => {
    throw new Refusal(INTERNAL, 'failed to create containerd task: exec: "sh": not found')
  }
  server.scripts['ExecSync'] = () => {
    throw new Refusal(DEADLINE_EXCEEDED, 'timeout 1s exceeded')
  }
  const metadata = { name: 'p', uid: 'u', namespace: 'd', attempt: 0 }
  const create = runtime.createContainer(
    's',
    { metadata: { name: 'c', attempt: 0 }, image: { image: 'i' } },
    { metadata },
  )
  await assert.rejects(
    create,
    (error) => error instanceof RefusedError && error.message.endsWith('exec: "sh": not found'),
  )
  await assert.rejects(runtime.execSync('c', ['true'], seconds(1)), { code: 'EDGED_EXEC_TIMEOUT' })
  await assert.rejects(async () => {
    for await (const _event of runtime.events(new AbortController().signal)) assert.fail('there are no events')
  }, RefusedError)
})

test('a runtime that is not there, dies or comes back is unavailable meanwhile', { timeout: 60_000 }, async (t) => {
  const { server, runtime } = await open(t)
  await assert.rejects(
    runtime.version(),
    (error) => error instanceof UnavailableError && error.code === 'EDGED_RUNTIME_UNAVAILABLE',
  )
  server.scripts['Version'] = () => ({ runtimeName: 'scripted', runtimeVersion: '1', runtimeApiVersion: 'v1' })
  await server.start()
  assert.equal((await answered(() => runtime.version())).name, 'scripted')
  server.scripts['Status'] = () => new Promise(() => undefined)
  const broken = assert.rejects(runtime.status(), UnavailableError)
  await called(server, 'Status')
  server.stop()
  await broken
  await server.start()
  assert.equal((await answered(() => runtime.version())).name, 'scripted')
})

test('nobody waits for a runtime that hangs', { timeout: 30_000 }, async (t) => {
  const clock = new FakeClock()
  const { server, runtime } = await open(t, clock)
  await server.start()
  server.scripts['ListContainers'] = () => new Promise(() => undefined)
  const hanging = assert.rejects(runtime.listContainers(), UnavailableError)
  await called(server, 'ListContainers')
  await clock.advance(seconds(11))
  await hanging
  const leaving = new AbortController()
  const left = assert.rejects(runtime.listContainers({}, leaving.signal), /enough/)
  leaving.abort(new Error('waited long enough'))
  await left
})

test('an answer beyond all bounds is refused, and the next one is taken', { timeout: 30_000 }, async (t) => {
  const { server, runtime } = await open(t)
  await server.start()
  let bytes = 20 * 1024 * 1024
  server.scripts['ExecSync'] = () => ({ stdout: Buffer.alloc(bytes), exitCode: 0 })
  await assert.rejects(runtime.execSync('c', ['yes'], seconds(1)), UnavailableError)
  bytes = 10
  assert.equal((await runtime.execSync('c', ['yes'], seconds(1))).stdout.length, 10)
})

test('events come as they happen, until the reader leaves', { timeout: 30_000 }, async (t) => {
  const { server, runtime } = await open(t)
  await server.start()
  server.scripts['GetContainerEvents'] = async function* () {
    yield {
      containerId: 'c-1',
      containerEventType: 'CONTAINER_STARTED_EVENT',
      podSandboxStatus: { metadata: { uid: 'u-1' } },
    }
    yield { containerId: 'c-1', containerEventType: 'CONTAINER_STOPPED_EVENT' }
    await new Promise(() => undefined)
  }
  const end = new AbortController()
  const seen: string[] = []
  const reading = assert.rejects(async () => {
    for await (const { containerId, type, podUid } of runtime.events(end.signal)) {
      seen.push(`${containerId} ${type} ${podUid}`)
      if (seen.length === 2) end.abort(new Error('seen'))
    }
  }, /seen/)
  await reading
  assert.deepEqual(seen, ['c-1 started u-1', 'c-1 stopped '])
})

/** The socket is dialled again after a pause of its own. */
async function answered<T>(call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

async function called({ calls }: ScriptedRuntime, method: string): Promise<void> {
  while (!calls.some((call) => call.method === method)) await new Promise((resolve) => setImmediate(resolve))
}
