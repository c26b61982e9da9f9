import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../../schemas/index.ts'
import { aContainer, aView } from '../../testing/a-pod.ts'
import { loggedContainer } from './logged-container.ts'

const ended = (id: string): JsonObject => ({ terminated: { exitCode: 1, containerID: `containerd://${id}` } })
const said = (more: JsonObject): JsonObject => ({ containerStatuses: [{ name: 'app', restartCount: 0, ...more }] })
const of = (status: JsonObject, isPrevious = false) =>
  loggedContainer({ name: 'till', status, view: undefined }, 'app', isPrevious)

test('the log is that of the container that runs, or ran last', () => {
  const running = { containerID: 'containerd://c', restartCount: 3, state: { running: {} }, lastState: ended('b') }
  assert.deepEqual(of(said(running)), { id: 'c', attempt: 3 })
  assert.deepEqual(of(said(running), true), { id: 'b', attempt: 2 })
  const backsOff = { restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: ended('c') }
  assert.deepEqual(of(said(backsOff)), { id: 'c', attempt: 3 })
  assert.deepEqual(of(said(backsOff), true), { id: 'c', attempt: 3 })
  assert.deepEqual(of(said({ restartCount: 1, state: ended('c') })), { id: 'c', attempt: 1 })
  const first = { initContainerStatuses: [{ name: 'app', restartCount: 0, state: ended('i') }] }
  assert.deepEqual(of(first), { id: 'i', attempt: 0 })
})

test('the runtime knows better than a count which log is meant', () => {
  const view = { ...aView([]), containers: [aContainer('app', { state: 'running', attempt: 9 })] }
  const [{ id } = { id: '' }] = view.containers
  const status = said({ containerID: `cri-o://${id}`, restartCount: 2, state: { running: {} } })
  assert.equal(loggedContainer({ name: 'till', status, view }, 'app', false).attempt, 9)
})

test('why there is no log is said in the words of a kubelet', () => {
  const waits = (reason: string) => said({ state: { waiting: { reason } } })
  const cases: readonly (readonly [JsonObject, string])[] = [
    [{}, 'container "app" in pod "till" is not available'],
    [waits('ContainerCreating'), 'container "app" in pod "till" is waiting to start: ContainerCreating'],
    [waits('ErrImagePull'), `container "app" in pod "till" is waiting to start: image can't be pulled`],
    [waits('ImagePullBackOff'), 'container "app" in pod "till" is waiting to start: trying and failing to pull image'],
    [said({ state: {} }), 'container "app" in pod "till" is waiting to start - no logs yet'],
    [said({ state: { terminated: { exitCode: 137 } } }), 'container "app" in pod "till" is terminated'],
  ]
  for (const [status, message] of cases) assert.throws(() => of(status), { status: 400, message })
  const message = 'previous terminated container "app" in pod "till" not found'
  assert.throws(() => of(said({ state: { running: {} } }), true), { status: 400, message })
})
