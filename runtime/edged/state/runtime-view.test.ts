import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { scriptedChannel } from '../testing/scripted-channel.ts'
import { LABELS } from './labels.ts'
import { RuntimeView } from './runtime-view.ts'

const OWNER = 'this-node'
const labels = { [LABELS.podUid]: 'u-1', [LABELS.podName]: 'till', [LABELS.podNamespace]: 'shop' }

/** A runtime with one pod, whose states a test may change, and a view of it. */
function stage() {
  const states = { sandbox: 'SANDBOX_READY', container: 'CONTAINER_RUNNING', isAway: false, end: {} }
  const sandbox = () => ({ id: 's', labels, state: states.sandbox })
  const container = () => ({ id: 'c', labels, state: states.container, metadata: { name: 'app' }, podSandboxId: 's' })
  const { runtime, countOf } = scriptedChannel({
    Version: () => ({ runtimeName: 'containerd' }),
    ListPodSandbox: () => ({ items: [sandbox()] }),
    PodSandboxStatus: () => ({ status: sandbox() }),
    ListContainers: () => {
      if (states.isAway) throw new Error('it is away')
      return { containers: [container()] }
    },
    ContainerStatus: () => ({ status: { ...container(), ...states.end } }),
  })
  const changes: string[] = []
  const problems: (string | undefined)[] = []
  const view = new RuntimeView({
    ...{ runtime, owner: OWNER, clock: new FakeClock(), log },
    onChange: (uid) => changes.push(uid),
    onRuntime: (problem) => problems.push(problem),
  })
  const look = () => view.lookAtAll(new AbortController().signal)
  return { states, view, look, changes, problems, countOf }
}

test('while nothing happens a look is one call, and sandboxes are looked at each fifth time', async () => {
  const { look, changes, countOf } = stage()
  for (let index = 0; index < 10; index++) await look()
  assert.equal(countOf('ListPodSandbox'), 2)
  assert.equal(countOf('ContainerStatus'), 1)
  assert.deepEqual(changes, ['u-1'])
})

test('a container that ends is seen with the next look, and its sandbox with it', async () => {
  const { states, view, look, changes } = stage()
  await look()
  states.container = 'CONTAINER_EXITED'
  states.sandbox = 'SANDBOX_NOTREADY'
  await look()
  assert.equal(view.get('u-1')?.containers[0]?.state, 'exited')
  assert.equal(view.get('u-1')?.sandboxes[0]?.isReady, false)
  assert.deepEqual(changes, ['u-1', 'u-1'])
})

test('why a container was killed is heard, though its runtime learns it after the end', async () => {
  const { states, view, look, changes } = stage()
  await look()
  const now = new FakeClock().now() * 1_000_000
  Object.assign(states, { container: 'CONTAINER_EXITED', end: { exitCode: 137, reason: 'Error', finishedAt: now } })
  await look()
  assert.equal(view.get('u-1')?.containers[0]?.reason, 'Error')
  Object.assign(states, { end: { exitCode: 137, reason: 'OOMKilled', finishedAt: now } })
  await look()
  assert.equal(view.get('u-1')?.containers[0]?.reason, 'OOMKilled')
  assert.equal(changes.length, 3)
})

test('a sandbox that ends alone is seen within five looks', async () => {
  const { states, view, look } = stage()
  await look()
  states.sandbox = 'SANDBOX_NOTREADY'
  for (let index = 0; index < 4; index++) await look()
  assert.equal(view.get('u-1')?.sandboxes[0]?.isReady, true)
  await look()
  assert.equal(view.get('u-1')?.sandboxes[0]?.isReady, false)
})

test('all is looked at when the runtime answers again', async () => {
  const { states, view, look, problems } = stage()
  await look()
  states.isAway = true
  await look()
  states.isAway = false
  states.sandbox = 'SANDBOX_NOTREADY'
  await look()
  assert.equal(view.get('u-1')?.sandboxes[0]?.isReady, false)
  assert.deepEqual(problems, [undefined, 'it is away', undefined])
})
