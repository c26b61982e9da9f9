import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import { listIn, numberIn, objectIn, textIn } from '../pod/json.ts'
import { type Case, conditionOf, type Had, NOW, statusOf } from './testing/status-of.ts'

const RUNS: Had = { name: 'app', state: 'running' }
const FAILED: Had = { name: 'app', state: 'exited', exitCode: 1, reason: 'Error' }
const LOW = { reason: 'Evicted', message: 'The node was low on resource: memory. ' }

function app(status: JsonObject, key = 'containerStatuses') {
  const [found] = listIn(status, key)
  const [state, last] = [objectIn(found, 'state'), objectIn(objectIn(found, 'lastState'), 'terminated')]
  return { shown: found, state, last, restarts: numberIn(found, 'restartCount') }
}

test('a container is told with its ids, what it was made with and where its volumes are', () => {
  const resources = { limits: { memory: '1024Ki', cpu: 0.5 }, requests: { cpu: '0.25' } }
  const volumeMounts = [
    { name: 'work', mountPath: '/work' },
    { name: 'work', mountPath: '/look', readOnly: true },
  ]
  const spec = {
    containers: [{ name: 'app', image: 'till:1', resources, volumeMounts }],
    volumes: [{ name: 'work', emptyDir: {} }],
  }
  const { shown } = app(statusOf({ spec, has: [{ ...RUNS, attempt: 3 }] }))
  assert.deepEqual(shown, {
    ...{ name: 'app', ready: true, started: true, restartCount: 3, lastState: {} },
    state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    ...{ image: 'docker.io/app:1', imageID: 'sha256:1', containerID: 'containerd://app-3' },
    allocatedResources: { cpu: '250m' },
    resources: { limits: { memory: '1Mi', cpu: '500m' }, requests: { cpu: '250m' } },
    volumeMounts: [
      { name: 'work', mountPath: '/work' },
      { name: 'work', mountPath: '/look', readOnly: true, recursiveReadOnly: 'Disabled' },
    ],
  })
})

test('the end of a container is told with its own last words', () => {
  assert.deepEqual(app(statusOf({ has: [{ ...FAILED, attempt: 9 }] })).state['terminated'], {
    ...{ exitCode: 1, reason: 'Error', message: 'out of paper', containerID: 'containerd://app-9' },
    ...{ startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:01Z' },
  })
})

test('a running container that the runtime forgot has failed, and is counted once', () => {
  const before = statusOf({ has: [{ ...RUNS, attempt: 2 }] })
  const lost = statusOf({ before })
  assert.equal(lost['phase'], 'Running')
  assert.deepEqual([app(lost).last['reason'], app(lost).last['exitCode']], ['ContainerStatusUnknown', 137])
  assert.equal(textIn(app(lost).state['waiting'], 'reason'), 'ContainerCreating')
  assert.equal(app(lost).restarts, 3)
  assert.deepEqual(statusOf({ before: lost }), lost)
  const anew = statusOf({ before: lost, has: [{ ...RUNS, attempt: 3 }] })
  assert.deepEqual([app(anew).restarts, app(anew).last['reason']], [3, 'ContainerStatusUnknown'])
})

test('what the runtime removed is known from what was said before', () => {
  const initContainers = [{ name: 'one', image: 'one:1' }]
  const failed = statusOf({ has: [FAILED] })
  const anew = statusOf({ before: failed, has: [{ ...RUNS, attempt: 1 }] })
  assert.deepEqual(app(anew).last, app(failed).state['terminated'])
  const forgotten = statusOf({ before: failed, waiting: { app: 'CrashLoopBackOff' } })
  assert.deepEqual(app(forgotten).last, app(failed).state['terminated'])
  const done: Had = { name: 'one', state: 'exited', reason: 'Completed' }
  const initialized = statusOf({ spec: { initContainers }, has: [RUNS, done] })
  const later = statusOf({ spec: { initContainers }, has: [RUNS], before: initialized })
  assert.deepEqual(later, initialized)
  const many = { ...initialized, containerStatuses: [{ name: 'app', restartCount: 7 }] }
  const { restarts } = app(statusOf({ spec: { initContainers }, has: [RUNS, done], before: many }))
  assert.equal(restarts, 7, 'it never goes backwards')
})

test('a container without a state is lost where it ran, and about to be made where it did not', () => {
  const unknown: Had = { name: 'app', state: 'unknown' }
  const ran = app(statusOf({ before: statusOf({ has: [RUNS] }), has: [unknown] }))
  assert.equal(textIn(ran.state['terminated'], 'reason'), 'ContainerStatusUnknown')
  assert.equal(textIn(app(statusOf({ has: [unknown] })).state['waiting'], 'reason'), 'ContainerCreating')
})

test('what keeps a pod from beginning is told in its condition, and goes with it', () => {
  const obstacle = { reason: 'ContainerRuntimeMissing', message: 'no runtime answers: install containerd' }
  const blocked = statusOf({ obstacle, hasNoSandbox: true })
  const { status, reason, message } = conditionOf(blocked, 'PodReadyToStartContainers')
  assert.deepEqual({ status, reason, message }, { status: 'False', ...obstacle })
  assert.deepEqual([blocked['phase'], blocked['reason'], blocked['message']], ['Pending', ...Object.values(obstacle)])
  const begun = statusOf({ before: blocked, has: [RUNS] })
  assert.deepEqual([begun['phase'], begun['reason'], begun['message']], ['Running', undefined, undefined])
  assert.deepEqual(conditionOf(begun, 'PodReadyToStartContainers')['reason'], undefined)
})

test('gates of readiness are opened by others', () => {
  const spec = { readinessGates: [{ conditionType: 'acme.io/taken' }] }
  const ready = (status?: string) => {
    const conditions = status === undefined ? [] : [{ type: 'acme.io/taken', status }]
    const { reason, message } = conditionOf(statusOf({ spec, has: [RUNS], status: { conditions } }), 'Ready')
    return reason ? `${reason}: ${message}` : 'True'
  }
  const gate = 'pod readiness gate "acme.io/taken"'
  assert.equal(ready(), `ReadinessGatesNotReady: corresponding condition of ${gate} does not exist.`)
  assert.equal(ready('False'), `ReadinessGatesNotReady: the status of ${gate} is not "True", but False`)
  assert.equal(ready('True'), 'True')
})

test('a pod that had to go for others says so and never begins again; one beyond its limits does not', () => {
  const running = statusOf({ has: [RUNS], ended: LOW })
  assert.equal(conditionOf(running, 'DisruptionTarget')['reason'], 'TerminationByKubelet')
  assert.deepEqual([running['phase'], running['reason']], ['Running', undefined])
  const gone = statusOf({ has: [{ ...FAILED, exitCode: 137 }], ended: LOW, before: running, now: NOW + 5000 })
  assert.deepEqual([gone['phase'], gone['reason'], gone['message']], ['Failed', 'Evicted', LOW.message])
  const forgotten = statusOf({ before: gone, has: [RUNS] })
  assert.deepEqual([forgotten['phase'], forgotten['reason']], ['Failed', 'Evicted'])
  assert.deepEqual(conditionOf(forgotten, 'DisruptionTarget'), conditionOf(running, 'DisruptionTarget'))
  const greedy = { reason: 'Evicted', message: 'Usage of EmptyDir volume "work" exceeds the limit "1Mi". ' }
  assert.deepEqual(conditionOf(statusOf({ has: [RUNS], ended: greedy }), 'DisruptionTarget'), {})
})

test('a pod from a file has no phase that ends it for good, when it is to begin again', () => {
  const ends: Case = { metadata: { deletionTimestamp: '2026-01-01T00:30:00Z' }, before: statusOf({ has: [RUNS] }) }
  assert.equal(statusOf({ ...ends, isStatic: true })['phase'], 'Running')
  assert.equal(statusOf(ends)['phase'], 'Failed')
})

test('addresses stay known when the network is gone; on the network of the node they are its own', () => {
  const before = statusOf({ has: [RUNS] })
  assert.deepEqual([before['podIP'], before['podIPs']], ['10.1.0.2', [{ ip: '10.1.0.2' }]])
  assert.deepEqual([before['hostIP'], before['hostIPs']], ['192.168.1.5', [{ ip: '192.168.1.5' }]])
  assert.equal(statusOf({ before, hasNoSandbox: true })['podIP'], '10.1.0.2')
  assert.equal(statusOf({ spec: { hostNetwork: true } })['podIP'], '192.168.1.5')
  assert.equal(statusOf({ hasNoSandbox: true })['podIP'], undefined)
})

test('the pod’s class, generation and start are told; debug containers say that they are not run', () => {
  const ephemeralContainers = [{ name: 'debug', image: 'busybox' }]
  const status = statusOf({ spec: { ephemeralContainers }, metadata: { generation: 4 } })
  assert.deepEqual(
    [status['qosClass'], status['observedGeneration'], status['startTime']],
    ['BestEffort', 4, '2026-01-01T00:00:00Z'],
  )
  assert.equal(textIn(app(status, 'ephemeralContainerStatuses').state['waiting'], 'reason'), 'NotSupported')
})
