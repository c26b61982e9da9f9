import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { BUILTIN_DEFINITIONS } from '../builtin/index.ts'
import type { ApiObject } from '../resource.ts'
import { toTable } from './table.ts'

const NOW = Date.parse('2026-01-02T00:00:00Z')
const running = { state: { running: {} }, ready: true, restartCount: 0 }
const once = { terminated: { exitCode: 1, finishedAt: '2026-01-01T23:59:00Z' } }
const succeeded = { name: 'first', state: { terminated: { exitCode: 0 } }, restartCount: 2, lastState: once }
const proxy = { ...running, name: 'proxy', started: true, restartCount: 1 }

/** READY, STATUS and RESTARTS of a pod with the init containers `first` and `proxy`, which runs on, and the container `app`. */
function shown(status: JsonObject, metadata: JsonObject = {}): readonly Json[] {
  const definition = BUILTIN_DEFINITIONS.find(({ kind }) => kind === 'Pod')
  assert.ok(definition)
  const pod: ApiObject = {
    ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', ...metadata } },
    spec: {
      initContainers: [{ name: 'first' }, { name: 'proxy', restartPolicy: 'Always' }],
      containers: [{ name: 'app' }],
    },
    status,
  }
  const { rows } = toTable(definition, [pod], { now: NOW, include: 'None' })
  const [row]: readonly { readonly cells: readonly Json[] }[] = JSON.parse(JSON.stringify(rows))
  return row?.cells.slice(1, 4) ?? []
}

test('a sidecar counts among the containers of a pod, with its restarts; what is over does not', () => {
  const containerStatuses = [{ ...running, name: 'app', restartCount: 4 }]
  assert.deepEqual(shown({ phase: 'Running', initContainerStatuses: [succeeded, proxy], containerStatuses }), [
    ...['2/2', 'Running', '5'],
  ])
  const late = { ...proxy, ready: false }
  assert.deepEqual(shown({ phase: 'Running', initContainerStatuses: [succeeded, late], containerStatuses })[0], '1/2')
})

test('while a pod is initialized, its init containers say how far it is and how often they were restarted', () => {
  const waiting = [{ name: 'app', ready: false, restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } }]
  const crashed = { ...succeeded, state: { waiting: { reason: 'CrashLoopBackOff' } } }
  assert.deepEqual(shown({ phase: 'Pending', initContainerStatuses: [crashed], containerStatuses: waiting }), [
    ...['0/2', 'Init:CrashLoopBackOff', '2 (60s ago)'],
  ])
  const starting = { ...proxy, started: false, ready: false }
  const status = { phase: 'Pending', initContainerStatuses: [succeeded, starting], containerStatuses: waiting }
  assert.deepEqual(shown(status), ['0/2', 'Init:1/2', '3 (60s ago)'])
})

test('a sidecar that starts again hides nothing of a pod that was initialized', () => {
  const status = {
    phase: 'Running',
    conditions: [{ type: 'Initialized', status: 'True' }],
    initContainerStatuses: [succeeded, { ...proxy, started: false, ready: false, state: { waiting: {} } }],
  }
  assert.deepEqual(shown({ ...status, containerStatuses: [{ ...running, name: 'app' }] }), ['1/2', 'Init:1/2', '1'])
  const oom = { name: 'app', restartCount: 0, state: { terminated: { reason: 'OOMKilled', exitCode: 137 } } }
  assert.deepEqual(shown({ ...status, containerStatuses: [oom] }), ['0/2', 'OOMKilled', '1'])
})

test('a pod that has failed is not terminating, whatever the reason is called', () => {
  const gone = { deletionTimestamp: '2026-01-01T23:00:00Z' }
  assert.equal(shown({ phase: 'Failed', reason: 'Evicted' }, gone)[1], 'Evicted')
  assert.equal(shown({ phase: 'Running', reason: 'Evicted' }, gone)[1], 'Terminating')
  assert.equal(shown({ phase: 'Running', reason: 'NodeLost' }, gone)[1], 'Unknown')
})
