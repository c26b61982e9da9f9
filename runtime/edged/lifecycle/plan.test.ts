import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ProbeResults } from '../probes/prober.ts'
import type { ContainerView } from '../state/pod-view.ts'
import { aContainer, aPod, aView, type SandboxFacts } from '../testing/a-pod.ts'
import { CrashBackoff } from './crash-backoff.ts'
import { planPod } from './plan.ts'

const READY = [{ id: 's-0', isReady: true }]
const STARTED: ProbeResults = { isStarted: true, isReady: true }
const IMAGE = { image: 'till:1' }

interface Case {
  readonly spec?: JsonObject
  readonly sandboxes?: readonly SandboxFacts[]
  readonly containers?: readonly ContainerView[]
  readonly isEnding?: boolean
  readonly results?: Readonly<Record<string, ProbeResults>>
  readonly hooked?: readonly string[]
  readonly asked?: readonly string[]
  readonly backoff?: CrashBackoff
  readonly now?: number
}

/** In a line: what is stopped, what becomes of the sandbox, what is started, what waits. */
function planned({ spec = {}, sandboxes = READY, containers = [], ...facts }: Case): string {
  const { isEnding = false, results = {}, hooked = [], asked = [], backoff = new CrashBackoff(), now = 10_000 } = facts
  const plan = planPod({
    ...{ pod: aPod(spec), view: aView(sandboxes, containers), isEnding, backoff, now },
    isAsked: (id) => asked.includes(id),
    isHooked: (id) => hooked.includes(id),
    resultsOf: (id) => results[id] ?? STARTED,
    hashOf: ({ image }) => image,
    madeFrom: ({ annotations }) => annotations['hash'] ?? 'till:1',
  })
  const words = [
    ...plan.stop.map(({ container, reason }) => `stop ${container.id} ${reason}`),
    ...(plan.sandbox === 'keep' ? [] : [`${plan.sandbox} sandbox`]),
    ...plan.start.map(({ container, previous }) => `start ${container.name}${previous ? ` after ${previous.id}` : ''}`),
    ...[...plan.waiting].map(([name, { reason }]) => `${name} waits ${reason}`),
    ...(plan.wakeAt === undefined ? [] : [`wake at ${plan.wakeAt}`]),
    ...(plan.isOver ? ['over'] : []),
  ]
  return words.join(', ')
}

test('a pod gets its sandbox, then its containers, then is left alone', () => {
  assert.equal(planned({ sandboxes: [] }), 'make sandbox')
  assert.equal(planned({}), 'start app')
  assert.equal(planned({ containers: [aContainer('app', { state: 'running' })] }), '')
  assert.equal(planned({ containers: [aContainer('app', { state: 'created' })] }), 'start app after app-0')
})

test('init containers run one after the other, and containers after all of them', () => {
  const spec = {
    initContainers: [
      { name: 'a', ...IMAGE },
      { name: 'b', ...IMAGE },
    ],
  }
  assert.equal(planned({ spec }), 'start a')
  assert.equal(planned({ spec, containers: [aContainer('a', { state: 'running' })] }), '')
  const a = aContainer('a', { state: 'exited' })
  assert.equal(planned({ spec, containers: [a] }), 'start b')
  assert.equal(planned({ spec, containers: [a, aContainer('b', { state: 'exited' })] }), 'start app')
  // Forgotten by the runtime, with the container that came after them.
  assert.equal(planned({ spec, containers: [aContainer('app', { state: 'running' })] }), '')
})

test('an init container that failed is tried again, unless the pod never restarts', () => {
  const initContainers = [{ name: 'a', ...IMAGE }]
  const containers = [aContainer('a', { state: 'exited', exitCode: 1 })]
  assert.equal(planned({ spec: { initContainers }, containers }), 'start a after a-0')
  assert.equal(planned({ spec: { initContainers, restartPolicy: 'Never' }, containers }), 'end sandbox')
})

test('a sidecar is up before what comes after it, and is started again as long as the pod runs', () => {
  const spec = {
    restartPolicy: 'Never',
    initContainers: [
      { name: 'side', ...IMAGE, restartPolicy: 'Always' },
      { name: 'b', ...IMAGE },
    ],
  }
  const side = aContainer('side', { state: 'running' })
  assert.equal(planned({ spec }), 'start side')
  assert.equal(planned({ spec, containers: [side], results: { 'side-0': { isStarted: false, isReady: false } } }), '')
  assert.equal(planned({ spec, containers: [side], hooked: ['side-0'] }), '')
  assert.equal(planned({ spec, containers: [side] }), 'start b')
  const running = [aContainer('app', { state: 'running' }), aContainer('side', { state: 'exited', exitCode: 1 })]
  assert.equal(planned({ spec, containers: running }), 'start side after side-0')
  const done = [aContainer('app', { state: 'exited' }), side]
  assert.equal(planned({ spec, containers: done }), 'stop side-0 PodEnds', 'it does not keep a pod that is done')
})

test('what has exited is started again by the policy of its pod', () => {
  const after = (restartPolicy: string, exitCode: number) =>
    planned({ spec: { restartPolicy }, containers: [aContainer('app', { state: 'exited', exitCode })] })
  assert.equal(after('Always', 0), 'start app after app-0')
  assert.equal(after('OnFailure', 1), 'start app after app-0')
  assert.equal(after('OnFailure', 0), 'end sandbox')
  assert.equal(after('Never', 1), 'end sandbox')
})

test('a container that exits again and again waits 10 s, then twice as long, at most 5 min', () => {
  const backoff = new CrashBackoff()
  const waits: string[] = []
  for (let attempt = 0; attempt < 8; attempt++) {
    const exited = aContainer('app', { state: 'exited', exitCode: 1, attempt, startedAt: 1000, finishedAt: 2000 })
    waits.push(planned({ containers: [exited], backoff, now: 2000 }))
    backoff.restarted(exited)
    backoff.restarted(exited)
  }
  assert.equal(waits[0], 'start app after app-0')
  const times = waits
    .slice(1)
    .map((text) => Number(/app waits CrashLoopBackOff, wake at (\d+)$/.exec(text)?.[1]) - 2000)
  assert.deepEqual(times, [10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  const last = aContainer('app', { state: 'exited', attempt: 9, startedAt: 1000, finishedAt: 2000 })
  assert.equal(backoff.text('till_shop(u-1)', last), 'back-off 5m0s restarting failed container=app pod=till_shop(u-1)')
  const recovered = aContainer('app', { state: 'exited', attempt: 8, startedAt: 1000, finishedAt: 601_000 })
  assert.equal(planned({ containers: [recovered], backoff, now: 601_000 }), 'start app after app-8')
})

test('a container that is not well, or that was made from something else, ends so that it can be made anew', () => {
  const running = aContainer('app', { state: 'running' })
  const failing = { isStarted: true, isReady: false, failure: { message: 'Liveness probe failed', graceSeconds: 3 } }
  assert.equal(planned({ containers: [running], results: { 'app-0': failing } }), 'stop app-0 Unhealthy')
  const older = aContainer('app', { state: 'running', annotations: { hash: 'till:0' } })
  assert.equal(planned({ containers: [older] }), 'stop app-0 Changed')
  assert.equal(planned({ containers: [aContainer('app', { state: 'unknown' })] }), 'stop app-0 Unknown')
})

test('a sandbox that is lost is made anew once nothing of it runs, and the containers without a back-off', () => {
  const sandboxes = [{ id: 's-0', isReady: false }]
  assert.equal(planned({ sandboxes, containers: [aContainer('app', { state: 'running' })] }), 'stop app-0 SandboxLost')
  const exited = aContainer('app', { state: 'exited', exitCode: 255, finishedAt: 9000 })
  const backoff = new CrashBackoff()
  backoff.restarted(aContainer('app', { state: 'exited', attempt: 7 }))
  assert.equal(planned({ sandboxes, containers: [exited], backoff }), 'make sandbox')
  const anew = [{ id: 's-1', isReady: true }, ...sandboxes]
  assert.equal(planned({ sandboxes: anew, containers: [exited], backoff }), 'start app after app-0')
  const spec = { initContainers: [{ name: 'a', ...IMAGE }] }
  const init = aContainer('a', { state: 'exited' })
  assert.equal(
    planned({ spec, sandboxes: anew, containers: [init, exited] }),
    'start a after a-0',
    'init containers run again',
  )
  assert.equal(planned({ spec: { restartPolicy: 'Never' }, sandboxes, containers: [exited] }), 'over')
})

test('a pod ends with its containers first, then its sidecars from the last one on, then its sandbox', () => {
  const spec = {
    initContainers: ['s1', 's2'].map((name) => ({ name, ...IMAGE, restartPolicy: 'Always' })),
  }
  const containers = ['app', 's1', 's2'].map((name) => aContainer(name, { state: 'running' }))
  const ends = (...running: readonly string[]) =>
    planned({ spec, isEnding: true, containers: containers.filter(({ metadata }) => running.includes(metadata.name)) })
  assert.equal(ends('app', 's1', 's2'), 'stop app-0 PodEnds')
  assert.equal(ends('s1', 's2'), 'stop s2-0 PodEnds')
  assert.equal(ends('s1'), 'stop s1-0 PodEnds')
  assert.equal(ends(), 'end sandbox')
  assert.equal(planned({ isEnding: true, sandboxes: [{ id: 's-0', isReady: false }] }), 'over')
  assert.equal(planned({ isEnding: true, sandboxes: [] }), 'over')
})

test('a clock that is set back by a week does not make a container wait for a week', () => {
  const backoff = new CrashBackoff()
  const exited = aContainer('app', { state: 'exited', exitCode: 1, startedAt: 604_800_000, finishedAt: 604_801_000 })
  backoff.restarted(exited)
  assert.equal(
    planned({ containers: [exited], backoff, now: 604_802_000 }),
    'app waits CrashLoopBackOff, wake at 604811000',
  )
  assert.equal(planned({ containers: [exited], backoff, now: 2000 }), 'app waits CrashLoopBackOff, wake at 12000')
  assert.equal(planned({ containers: [exited], backoff, now: 12_000 }), 'start app after app-0')
})

test('a container that somebody wants restarted ends, and is started again whatever the policy says of its end', () => {
  const asked = ['app-0']
  assert.equal(planned({ asked, containers: [aContainer('app', { state: 'running' })] }), 'stop app-0 Asked')
  const spec = { restartPolicy: 'OnFailure' }
  const containers = [aContainer('app', { state: 'exited' })]
  assert.equal(planned({ spec, asked, containers }), 'start app after app-0')
  assert.equal(planned({ spec, containers }), 'end sandbox')
})
