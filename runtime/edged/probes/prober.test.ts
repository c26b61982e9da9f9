import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from '../../../platform/health/index.ts'
import { RefusedError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Duration, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ExecResult } from '../cri/runtime.ts'
import type { PodEvent } from '../events/pod-events.ts'
import { firstContainer, testPod } from '../testing/test-pod.ts'
import { createProber } from './create-prober.ts'
import type { ProbeTarget } from './prober.ts'

const DELETED = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 }
const exec = (name: string, over: JsonObject = {}): JsonObject => ({ exec: { command: [name] }, ...over })
const exit = (exitCode: number, said = ''): ExecResult => ({
  stdout: Buffer.from(said),
  stderr: Buffer.alloc(0),
  exitCode,
})

type Answer = () => ExecResult | Promise<ExecResult>

function setup() {
  const clock = new FakeClock()
  const metrics = createMetrics()
  const events: PodEvent[] = []
  const changes: string[] = []
  /** By `<container> <command>`, with when they were asked, in seconds. */
  const asked: string[] = []
  const answers = new Map<string, Answer>()
  const signals: AbortSignal[] = []
  const begun = clock.now()
  const execSync = async (id: string, [name = '']: readonly string[], _timeout: Duration, signal?: AbortSignal) => {
    asked.push(`${(clock.now() - begun) / 1000} ${id} ${name}`)
    if (signal) signals.push(signal)
    return (answers.get(name) ?? (() => exit(0)))()
  }
  const prober = createProber({
    ...{ runtime: { execSync }, clock, metrics },
    random: { next: () => 0.5, bytes: (count) => new Uint8Array(count), uuid: () => '' },
    events: { tell: (_pod, event) => void events.push(event) },
    onChange: (uid) => void changes.push(uid),
  })
  const target = (container: JsonObject, over: Partial<ProbeTarget> = {}, metadata: JsonObject = {}): ProbeTarget => {
    const pod = testPod(container, {}, metadata)
    const ids = { containerId: 'c-1', podIp: '127.0.0.1', startedAt: clock.now() }
    return { pod, container: firstContainer(pod), ...ids, ...over }
  }
  const pass = (count: number) => clock.advance(seconds(count))
  return { clock, prober, events, changes, asked, answers, signals, metrics, target, pass }
}

test('a container without probes is started and ready, and so is one that nobody follows', () => {
  const { prober, target } = setup()
  prober.follow(target({}))
  assert.deepEqual(prober.resultsOf('c-1'), { isStarted: true, isReady: true })
  assert.deepEqual(prober.resultsOf('c-2'), { isStarted: true, isReady: true })
})

test('readiness begins as no, changes by its thresholds, and tells of changes alone', async () => {
  const { prober, answers, changes, events, target, pass } = setup()
  const readinessProbe = exec('ready', { periodSeconds: 5, successThreshold: 2, failureThreshold: 3 })
  prober.follow(target({ readinessProbe }))
  assert.equal(prober.resultsOf('c-1').isReady, false)
  await pass(4)
  assert.deepEqual([prober.resultsOf('c-1').isReady, changes.length], [false, 0])
  await pass(1)
  assert.deepEqual([prober.resultsOf('c-1').isReady, changes], [true, ['u-1']])
  answers.set('ready', () => exit(1, 'till is locked\n'))
  await pass(10)
  assert.deepEqual([prober.resultsOf('c-1').isReady, changes.length], [true, 1])
  await pass(5)
  assert.deepEqual([prober.resultsOf('c-1').isReady, changes.length], [false, 2])
  // It is asked on; a container is not ended for that.
  answers.delete('ready')
  await pass(10)
  assert.deepEqual(prober.resultsOf('c-1'), { isStarted: true, isReady: true })
  assert.deepEqual(events.at(-1), {
    type: 'Warning',
    reason: 'Unhealthy',
    message: 'Readiness probe failed: till is locked\n',
    fieldPath: 'spec.containers{app}',
  })
  assert.equal(events.length, 3)
})

test('a container lives until its liveness probe has failed so often in a row; then it is not asked any more', async () => {
  const { prober, answers, asked, changes, target, pass } = setup()
  const livenessProbe = exec('alive', { periodSeconds: 10, failureThreshold: 2, terminationGracePeriodSeconds: 3 })
  prober.follow(target({ livenessProbe }))
  answers.set('alive', () => exit(1))
  await pass(0)
  answers.delete('alive')
  await pass(10)
  answers.set('alive', () => exit(1))
  await pass(10)
  assert.deepEqual([prober.resultsOf('c-1'), changes], [{ isStarted: true, isReady: true }, []])
  await pass(10)
  const failure = { message: 'Container app failed liveness probe, will be restarted', graceSeconds: 3 }
  assert.deepEqual([prober.resultsOf('c-1'), changes], [{ isStarted: true, isReady: true, failure }, ['u-1']])
  await pass(1000)
  assert.equal(asked.length, 4)
  prober.follow(target({ livenessProbe }))
  await pass(1000)
  assert.equal(asked.length, 4)
  // Another container is.
  prober.follow(target({ livenessProbe }, { containerId: 'c-2' }))
  prober.keepOnly('u-1', new Set(['c-2']))
  await pass(0)
  assert.equal(asked.at(-1), '2030 c-2 alive')
  assert.deepEqual(prober.resultsOf('c-2'), { isStarted: true, isReady: true })
})

test('the startup probe comes before the two others, which are asked as soon as it has succeeded', async () => {
  const { prober, answers, asked, changes, target, pass } = setup()
  answers.set('started', () => exit(1))
  const startupProbe = exec('started', { periodSeconds: 2, failureThreshold: 30 })
  prober.follow(target({ startupProbe, livenessProbe: exec('alive'), readinessProbe: exec('ready') }))
  await pass(5)
  assert.deepEqual(asked, ['0 c-1 started', '2 c-1 started', '4 c-1 started'])
  assert.deepEqual(prober.resultsOf('c-1'), { isStarted: false, isReady: false })
  answers.delete('started')
  await pass(1)
  assert.deepEqual(asked.slice(3), ['6 c-1 started', '6 c-1 alive', '6 c-1 ready'])
  assert.deepEqual(prober.resultsOf('c-1'), { isStarted: true, isReady: true })
  assert.equal(changes.length, 2)
  await pass(10)
  assert.deepEqual(asked.slice(6), ['16 c-1 alive', '16 c-1 ready'])
})

test('a startup probe that fails for good says so, and the others are never asked', async () => {
  const { prober, answers, asked, target, pass } = setup()
  answers.set('started', () => exit(1))
  const startupProbe = exec('started', { periodSeconds: 1, failureThreshold: 3 })
  prober.follow(target({ startupProbe, readinessProbe: exec('ready') }))
  await pass(100)
  const failure = { message: 'Container app failed startup probe, will be restarted' }
  assert.deepEqual(prober.resultsOf('c-1'), { isStarted: false, isReady: false, failure })
  assert.equal(asked.length, 3)
})

test('nobody is asked before the initial delay, and it is never longer than it says when the clock jumps', async () => {
  const { clock, prober, asked, target, pass } = setup()
  const livenessProbe = exec('alive', { initialDelaySeconds: 30 })
  prober.follow(target({ livenessProbe }))
  await pass(29)
  assert.equal(asked.length, 0)
  await pass(1)
  assert.equal(asked.length, 1)
  prober.follow(target({ livenessProbe }, { containerId: 'c-2', startedAt: clock.now() + 86_400_000 }))
  await pass(30)
  assert.ok(asked.includes('60 c-2 alive'))
})

test('containers from before this process are asked after a part of their period, and keep what was known of them', async () => {
  const { clock, prober, answers, asked, changes, target, pass } = setup()
  await pass(2)
  const startedAt = clock.now() - 3_600_000
  const probes = {
    startupProbe: exec('started'),
    livenessProbe: exec('alive', { initialDelaySeconds: 5 }),
    readinessProbe: exec('ready', { periodSeconds: 20 }),
  }
  prober.follow(target(probes, { startedAt, known: { isStarted: true, isReady: true } }))
  assert.deepEqual(prober.resultsOf('c-1'), { isStarted: true, isReady: true })
  answers.set('ready', () => exit(1))
  await pass(12)
  assert.deepEqual(asked, ['7 c-1 alive', '12 c-1 ready'])
  assert.deepEqual(changes, [])
  await pass(40)
  assert.deepEqual([prober.resultsOf('c-1').isReady, changes.length], [false, 1])
  // Later there is no crowd any more.
  prober.follow(target(probes, { startedAt, containerId: 'c-2', known: { isStarted: true, isReady: false } }))
  await pass(0)
  assert.equal(prober.resultsOf('c-2').isReady, false)
  assert.ok(asked.includes('54 c-2 alive'))
})

test('a pod that has to end is not asked any more whether it lives, but whether it is ready', async () => {
  const { prober, answers, asked, target, pass } = setup()
  answers.set('started', () => exit(1))
  const probes = { startupProbe: exec('started'), livenessProbe: exec('alive'), readinessProbe: exec('ready') }
  prober.follow(target(probes))
  await pass(0)
  prober.follow(target(probes, {}, DELETED))
  prober.follow(target(probes, {}, DELETED))
  await pass(10)
  assert.deepEqual(asked, ['0 c-1 started', '0 c-1 ready', '10 c-1 ready'])
  assert.deepEqual(prober.resultsOf('c-1'), { isStarted: true, isReady: true })
  prober.follow(target(probes, { containerId: 'c-2' }, DELETED))
  await pass(0)
  assert.equal(asked.at(-1), '10 c-2 ready')
})

test('a question that fails itself counts for nothing; a command that takes too long is a failure', async () => {
  const { prober, answers, events, metrics, target, pass } = setup()
  const code = 'EDGED_RUNTIME_REFUSED'
  answers.set('alive', () => Promise.reject(new RefusedError('exec: "alive": not found', { code, cause: 'x' })))
  prober.follow(target({ livenessProbe: exec('alive', { failureThreshold: 1, timeoutSeconds: 2 }) }))
  await pass(30)
  assert.deepEqual(prober.resultsOf('c-1'), { isStarted: true, isReady: true })
  const errored = 'Liveness probe errored and resulted in unknown state: exec: "alive": not found'
  assert.deepEqual([events.length, events[0]?.reason, events[0]?.message], [4, 'Unhealthy', errored])
  answers.set('alive', () => Promise.reject(new UnavailableError('late', { code: 'EDGED_EXEC_TIMEOUT' })))
  await pass(10)
  assert.ok(prober.resultsOf('c-1').failure)
  assert.equal(events.at(-1)?.message, 'Liveness probe failed: command timed out: "alive" timed out after 2s')
  const text = await metrics.text()
  assert.match(text, /skerry_edged_probes_total\{type="liveness",result="unknown"\} 4/)
  assert.match(text, /skerry_edged_probes_total\{type="liveness",result="failure"\} 1/)
})

test('a slow container is asked once at a time and delays no other; too many commands wait for each other', async () => {
  const { prober, answers, asked, target, pass } = setup()
  const waiting: (() => void)[] = []
  answers.set('slow', () => new Promise((resolve) => waiting.push(() => resolve(exit(0)))))
  prober.follow(target({ livenessProbe: exec('slow', { periodSeconds: 1 }) }, { containerId: 'slow' }))
  prober.follow(target({ livenessProbe: exec('quick', { periodSeconds: 1 }) }, { containerId: 'quick' }))
  await pass(10)
  assert.deepEqual([asked.filter((line) => line.endsWith('slow')).length, asked.length], [1, 12])
  waiting.pop()?.()
  await pass(0)
  assert.equal(asked.filter((line) => line.endsWith('slow')).length, 2)
  for (let count = 0; count < 30; count++) {
    prober.follow(target({ livenessProbe: exec('slow') }, { containerId: `slow-${count}` }))
  }
  await pass(0)
  assert.equal(waiting.length, 16)
  for (let rounds = 0; rounds < 3; rounds++) {
    for (const go of waiting.splice(0)) go()
    await pass(0)
  }
  assert.equal(new Set(asked.filter((line) => line.includes('slow-'))).size, 30)
})

test('a container that is gone is not asked, and what is under way is broken off without a word', async () => {
  const { prober, answers, asked, events, changes, signals, target, pass } = setup()
  answers.set(
    'alive',
    () => new Promise((_, reject) => signals.at(-1)?.addEventListener('abort', () => reject('gone'))),
  )
  prober.follow(target({ livenessProbe: exec('alive', { failureThreshold: 1 }) }))
  prober.follow(target({ livenessProbe: exec('alive') }, { containerId: 'c-2' }, { uid: 'u-2' }))
  await pass(0)
  prober.keepOnly('u-1', new Set())
  assert.deepEqual(
    signals.map(({ aborted }) => aborted),
    [true, false],
  )
  await prober[Symbol.asyncDispose]()
  await pass(100)
  assert.deepEqual([asked.length, events, changes], [2, [], []])
})

test('a probe of a sidecar is told of as one of an init container, and one that asks nothing says so', async () => {
  const { prober, events, pass, target } = setup()
  const sidecar = { name: 'proxy', image: 'p', restartPolicy: 'Always', readinessProbe: {} }
  const pod = testPod({}, { initContainers: [sidecar] })
  const [container] = pod.spec.initContainers
  assert.ok(container)
  prober.follow({ ...target({}), pod, container })
  await pass(0)
  assert.equal(events[0]?.fieldPath, 'spec.initContainers{proxy}')
  assert.match(
    events[0]?.message ?? '',
    /^Readiness probe errored and resulted in unknown state: missing probe handler/,
  )
})
