import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BUILTIN_DEFINITIONS } from '../../../hub/kube/builtin/index.ts'
import { toTable } from '../../../hub/kube/table/index.ts'
import { listIn, objectIn } from '../pod/json.ts'
import { type Case, conditionOf, type Had, NOW, podIn, statusOf } from './testing/status-of.ts'

/** READY, STATUS and RESTARTS of `kubectl get pods`. */
function row(each: Case): string {
  const definition = BUILTIN_DEFINITIONS.find(({ plural, group }) => plural === 'pods' && group === '')
  assert.ok(definition)
  const { source } = podIn(each)
  const metadata = { name: 'till', ...objectIn(source, 'metadata'), resourceVersion: '1' }
  const object = { ...source, apiVersion: 'v1', kind: 'Pod', metadata, status: statusOf(each) }
  const [found] = listIn(toTable(definition, [object], { now: NOW, include: 'None' }), 'rows')
  return listIn(found, 'cells').slice(1, 4).join(' ')
}

const INIT = {
  initContainers: [
    { name: 'one', image: 'one:1' },
    { name: 'two', image: 'two:1' },
  ],
}
const SIDECAR = { initContainers: [{ name: 'side', image: 'side:1', restartPolicy: 'Always' }] }
const DELETED = { deletionTimestamp: '2026-01-01T00:30:00Z' }
const EVICTED = { reason: 'Evicted', message: 'The node was low on resource: memory. ' }
const DONE: Had = { name: 'app', state: 'exited', reason: 'Completed' }
const FAILED: Had = { name: 'app', state: 'exited', exitCode: 1, reason: 'Error' }
const RUNS: Had = { name: 'app', state: 'running' }
const ONE_DONE: Had = { name: 'one', state: 'exited', reason: 'Completed' }
const TWO_DONE: Had = { name: 'two', state: 'exited', reason: 'Completed' }

const ROWS: readonly (readonly [string, Case, string, string])[] = [
  ['nothing yet', {}, 'Pending', '0/1 ContainerCreating 0'],
  ['no sandbox yet', { hasNoSandbox: true }, 'Pending', '0/1 ContainerCreating 0'],
  ['its image cannot be had', { waiting: { app: 'ErrImagePull' } }, 'Pending', '0/1 ErrImagePull 0'],
  ['made', { has: [{ name: 'app', state: 'created' }] }, 'Pending', '0/1 ContainerCreating 0'],
  ['running', { has: [RUNS] }, 'Running', '1/1 Running 0'],
  ['not ready', { has: [RUNS], isReady: false }, 'Running', '0/1 Running 0'],
  ['not started', { has: [RUNS], isStarted: false }, 'Running', '0/1 Running 0'],
  ['failed', { has: [FAILED] }, 'Running', '0/1 Error 0'],
  ['failed, in back-off', { has: [FAILED], waiting: { app: 'CrashLoopBackOff' } }, 'Running', '0/1 CrashLoopBackOff 0'],
  [
    'failed twice, in back-off',
    { has: [{ ...FAILED, attempt: 1 }, FAILED], waiting: { app: 'CrashLoopBackOff' } },
    'Running',
    '0/1 CrashLoopBackOff 1 (59m ago)',
  ],
  ['done, always restarted', { has: [DONE] }, 'Running', '0/1 Completed 0'],
  ['done, restarted on failure', { spec: { restartPolicy: 'OnFailure' }, has: [DONE] }, 'Succeeded', '0/1 Completed 0'],
  ['failed, restarted on failure', { spec: { restartPolicy: 'OnFailure' }, has: [FAILED] }, 'Running', '0/1 Error 0'],
  ['done, never restarted', { spec: { restartPolicy: 'Never' }, has: [DONE] }, 'Succeeded', '0/1 Completed 0'],
  [
    'out of memory, never restarted',
    { spec: { restartPolicy: 'Never' }, has: [{ ...FAILED, exitCode: 137, reason: 'OOMKilled' }] },
    'Failed',
    '0/1 OOMKilled 0',
  ],
  ['first init container to come', { spec: INIT }, 'Pending', '0/1 Init:0/2 0'],
  [
    'first init container running',
    { spec: INIT, has: [{ name: 'one', state: 'running' }] },
    'Pending',
    '0/1 Init:0/2 0',
  ],
  ['one init container done', { spec: INIT, has: [ONE_DONE] }, 'Pending', '0/1 Init:1/2 0'],
  ['an init container failed', { spec: INIT, has: [{ ...FAILED, name: 'one' }] }, 'Pending', '0/1 Init:Error 0'],
  [
    'an init container in back-off',
    { spec: INIT, has: [{ ...FAILED, name: 'one' }], waiting: { one: 'CrashLoopBackOff' } },
    'Pending',
    '0/1 Init:CrashLoopBackOff 0',
  ],
  [
    'an init container failed for good',
    { spec: { ...INIT, restartPolicy: 'Never' }, has: [{ ...FAILED, name: 'one' }] },
    'Failed',
    '0/1 Init:Error 0',
  ],
  ['init containers done', { spec: INIT, has: [TWO_DONE, ONE_DONE] }, 'Pending', '0/1 PodInitializing 0'],
  ['init containers done, running', { spec: INIT, has: [RUNS, TWO_DONE, ONE_DONE] }, 'Running', '1/1 Running 0'],
  ['init containers forgotten, running', { spec: INIT, has: [RUNS] }, 'Running', '1/1 Running 0'],
  [
    'a sidecar does not serve yet',
    { spec: SIDECAR, has: [{ name: 'side', state: 'running' }], isStarted: false },
    'Pending',
    '0/2 Init:0/1 0',
  ],
  [
    'a sidecar serves',
    { spec: SIDECAR, has: [{ name: 'side', state: 'running' }] },
    'Pending',
    '1/2 PodInitializing 0',
  ],
  ['a sidecar beside', { spec: SIDECAR, has: [RUNS, { name: 'side', state: 'running' }] }, 'Running', '2/2 Running 0'],
  [
    'a sidecar that starts anew',
    { spec: SIDECAR, has: [RUNS, { ...FAILED, name: 'side' }], waiting: { side: 'CrashLoopBackOff' } },
    'Running',
    '1/2 Init:CrashLoopBackOff 0',
  ],
  [
    'a sidecar left behind',
    { spec: { ...SIDECAR, restartPolicy: 'Never' }, has: [DONE, { name: 'side', state: 'running' }] },
    'Running',
    '1/2 Completed 0',
  ],
  [
    'all done with a sidecar that was ended',
    { spec: { ...SIDECAR, restartPolicy: 'Never' }, has: [DONE, { ...FAILED, name: 'side', exitCode: 143 }] },
    'Succeeded',
    '0/2 Completed 0',
  ],
  ['ending', { metadata: DELETED, has: [RUNS] }, 'Running', '1/1 Terminating 0'],
  ['ended by its deletion', { metadata: DELETED, has: [{ ...FAILED, exitCode: 143 }] }, 'Failed', '0/1 Error 0'],
  ['ended well by its deletion', { metadata: DELETED, has: [DONE] }, 'Succeeded', '0/1 Completed 0'],
  ['evicted, still running', { ended: EVICTED, has: [RUNS] }, 'Running', '1/1 Running 0'],
  ['evicted', { ended: EVICTED, has: [{ ...FAILED, exitCode: 137 }] }, 'Failed', '0/1 Error 0'],
  ['evicted before it began', { ended: EVICTED }, 'Failed', '0/1 Evicted 0'],
  [
    'in back-off and evicted',
    { ended: EVICTED, has: [FAILED], waiting: { app: 'CrashLoopBackOff' } },
    'Failed',
    '0/1 Error 0',
  ],
]

for (const [name, each, phase, expected] of ROWS) {
  test(`a pod is shown as kubectl users know it: ${name}`, () => {
    assert.deepEqual([statusOf(each)['phase'], row(each)], [phase, expected])
  })
}

test('conditions say what is missing, and keep since when they hold', () => {
  const first = statusOf({ has: [RUNS], isReady: false, metadata: { generation: 3 } })
  assert.deepEqual(conditionOf(first, 'Ready'), {
    ...{ type: 'Ready', status: 'False', reason: 'ContainersNotReady' },
    message: 'containers with unready status: [app]',
    observedGeneration: 3,
    lastTransitionTime: '2026-01-01T01:00:00Z',
  })
  const later = statusOf({ has: [RUNS], before: first, now: NOW + 60_000 })
  const times = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map(
    (type) => `${conditionOf(later, type)['status']} ${conditionOf(later, type)['lastTransitionTime']}`,
  )
  assert.deepEqual(times, [
    'True 2026-01-01T01:00:00Z',
    'True 2026-01-01T01:00:00Z',
    'True 2026-01-01T01:01:00Z',
    'True 2026-01-01T01:01:00Z',
    'True 2026-01-01T01:00:00Z',
  ])
})

test('the same facts give the same status, whenever it is asked for', () => {
  for (const [name, each] of ROWS) {
    const before = statusOf(each)
    assert.deepEqual(statusOf({ ...each, before, now: NOW + 60_000 }), before, name)
  }
})
