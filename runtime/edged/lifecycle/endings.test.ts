import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Duration, minutes, seconds } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { Answer } from '../testing/memory-cri.ts'
import { PodsBench } from '../testing/pods-bench.ts'
import { refusal } from '../testing/scripted-channel.ts'

const IMAGE = { image: 'till:1' }
const hangs: Answer = (_request, _usual, signal) =>
  new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))

async function running(spec: JsonObject = {}): Promise<PodsBench> {
  const bench = new PodsBench()
  await bench.start()
  bench.assign(spec)
  await bench.secondsUntil(() => /^Running/.test(bench.said))
  return bench
}

/** Of a container that takes that long for its end, unless the grace is shorter. */
function slowEnd(bench: PodsBench, takes: Duration): Answer {
  return async ({ timeout }, usual, signal) => {
    await bench.clock.sleep(seconds(Math.min(takes.milliseconds / 1000, Number(timeout))), signal)
    return usual()
  }
}

async function endsCleanly(bench: PodsBench, spec: JsonObject, within: Duration): Promise<void> {
  bench.delete(spec, 5)
  const took = await bench.secondsUntil(() => bench.isFinished)
  assert.ok(took <= within.milliseconds / 1000, `it took ${took} s`)
  bench.unassign()
  await bench.pass(seconds(3))
  assert.deepEqual([bench.cri.sandboxes.size, bench.cri.containers.size, bench.status], [0, 0, {}])
  assert.deepEqual([...bench.pods.uids()], [])
  await bench.stop()
}

const APP = { containers: [{ name: 'app', ...IMAGE }] }
const STEPS: readonly { readonly during: string; readonly method: string; readonly spec: JsonObject }[] = [
  { during: 'its sandbox is made', method: 'RunPodSandbox', spec: APP },
  { during: 'its image is pulled', method: 'PullImage', spec: { containers: [{ name: 'app', image: 'away:1' }] } },
  { during: 'its container is made', method: 'CreateContainer', spec: APP },
  { during: 'its container is started', method: 'StartContainer', spec: APP },
  {
    during: 'its hook after the start runs',
    method: 'ExecSync',
    spec: { containers: [{ name: 'app', ...IMAGE, lifecycle: { postStart: { exec: { command: ['warm-up'] } } } }] },
  },
]

for (const { during, method, spec } of STEPS) {
  test(`a pod that is deleted while ${during} ends though that hangs`, async () => {
    const bench = new PodsBench()
    bench.cri.answers.set(method, hangs)
    await bench.start()
    bench.assign(spec)
    await bench.secondsUntil(() => bench.calls(method) > 0)
    await endsCleanly(bench, spec, seconds(13))
    assert.equal(bench.calls(method), 1)
    assert.equal(bench.count('Failed'), 0)
    assert.ok(bench.count('Killing') <= 1)
  })
}

test('a pod that is deleted while an init container runs ends with that', async () => {
  const spec = { initContainers: [{ name: 'init', ...IMAGE }], ...APP }
  const bench = new PodsBench()
  await bench.start()
  bench.assign(spec)
  await bench.secondsUntil(() => bench.cri.containersNow.includes('init-0 RUNNING'))
  await endsCleanly(bench, spec, seconds(3))
})

test('a sandbox that comes although nobody waits for it any more is removed', async () => {
  const bench = new PodsBench()
  bench.cri.answers.set('RunPodSandbox', async (_request, usual) => {
    await bench.clock.sleep(seconds(30))
    return usual()
  })
  await bench.start()
  bench.assign()
  await bench.secondsUntil(() => bench.calls('RunPodSandbox') > 0)
  bench.delete()
  await bench.secondsUntil(() => bench.isFinished)
  bench.unassign()
  await bench.pass(seconds(40))
  assert.equal(bench.cri.sandboxes.size, 0)
  await bench.stop()
})

test('force cuts a graceful end short', async () => {
  const bench = await running()
  bench.cri.answers.set('StopContainer', slowEnd(bench, minutes(5)))
  bench.delete({}, 300)
  await bench.pass(seconds(10))
  assert.ok(!bench.isFinished)
  bench.delete({}, 0)
  assert.ok((await bench.secondsUntil(() => bench.isFinished)) <= 2)
  const graces = bench.cri.channel.calls.filter(({ method }) => method === 'StopContainer')
  assert.deepEqual(
    graces.map(({ request }) => request['timeout']),
    [300, 0],
  )
  assert.equal(bench.count('Killing'), 1)
  await bench.pass(minutes(6))
  await bench.stop()
})

test('an end that hangs is given up after its grace and 30 s, and tried again', async () => {
  const bench = await running()
  bench.cri.answers.set('StopContainer', hangs)
  bench.delete({}, 10)
  await bench.pass(seconds(39))
  assert.equal(bench.calls('StopContainer'), 1)
  await bench.pass(seconds(3))
  assert.equal(bench.calls('StopContainer'), 2)
  bench.cri.answers.clear()
  await bench.secondsUntil(() => bench.isFinished)
  await bench.stop()
})

test('an end that the runtime refuses is tried again, not all the time, and its hook runs once', async () => {
  const lifecycle = { preStop: { exec: { command: ['farewell'] } } }
  const spec = { containers: [{ name: 'app', ...IMAGE, lifecycle }] }
  const bench = await running(spec)
  bench.cri.answers.set('StopContainer', () => {
    throw refusal('device or resource busy')
  })
  bench.delete(spec)
  await bench.pass(minutes(2))
  assert.ok(bench.calls('StopContainer') <= 9, `${bench.calls('StopContainer')} times`)
  assert.deepEqual([bench.calls('ExecSync'), bench.count('Killing'), bench.count('FailedPreStopHook')], [1, 1, 0])
  bench.cri.answers.clear()
  await bench.secondsUntil(() => bench.isFinished)
  await bench.stop()
})

test('a hook before the end that is longer than the grace is cut off, and the container ended at once', async () => {
  const lifecycle = { preStop: { sleep: { seconds: 600 } } }
  const spec = { containers: [{ name: 'app', ...IMAGE, lifecycle }] }
  const bench = await running(spec)
  bench.delete(spec, 20)
  const took = await bench.secondsUntil(() => bench.isFinished)
  assert.ok(took >= 20 && took <= 23, `${took} s`)
  assert.equal(bench.count('FailedPreStopHook'), 1)
  await bench.stop()
})

test('a hook after the start that never ends has its container ended after 10 min', async () => {
  const lifecycle = { postStart: { exec: { command: ['for-ever'] } } }
  const spec = { containers: [{ name: 'app', ...IMAGE, lifecycle }] }
  const bench = new PodsBench()
  bench.cri.answers.set('ExecSync', hangs)
  await bench.start()
  bench.assign(spec)
  await bench.secondsUntil(() => bench.cri.containersNow.includes('app-0 RUNNING'))
  const took = await bench.secondsUntil(() => bench.count('FailedPostStartHook') === 1)
  assert.ok(Math.abs(took - 600) <= 1, `${took} s`)
  await bench.secondsUntil(() => bench.cri.containersNow.includes('app-1 RUNNING'))
  await bench.stop()
})

test('sidecars end after the containers, the last one first, within the grace of the pod', async () => {
  const sidecar = (name: string) => ({ name, ...IMAGE, restartPolicy: 'Always' })
  const spec = { initContainers: [sidecar('log'), sidecar('net')], ...APP }
  const bench = await running(spec)
  const ended: string[] = []
  bench.cri.answers.set('StopContainer', async (request, usual, signal) => {
    const { containerId, timeout } = request
    ended.push(`${bench.cri.containers.get(String(containerId))?.name} ${timeout}`)
    return slowEnd(bench, seconds(12))(request, usual, signal)
  })
  bench.delete(spec, 20)
  const took = await bench.secondsUntil(() => bench.isFinished)
  assert.ok(took >= 20 && took <= 26, `${took} s`)
  assert.match(ended.join(', '), /^app 20, net [78], log 2$/)
  await bench.stop()
})

test('a pod past its active deadline ends with that reason and does not begin again', async () => {
  const spec = { activeDeadlineSeconds: 60, ...APP }
  const bench = await running(spec)
  bench.cri.answers.set('StopContainer', slowEnd(bench, seconds(30)))
  const took = await bench.secondsUntil(() => bench.count('Killing') === 1)
  assert.ok(Math.abs(took - 60) <= 1, `${took} s`)
  const reports = bench.reports.length
  const timers = bench.clock.waiting
  await bench.pass(seconds(20))
  assert.ok(bench.clock.waiting <= timers + 1)
  assert.ok(bench.reports.length <= reports + 1)
  await bench.secondsUntil(() => bench.said === 'Failed app=Error')
  assert.equal(bench.status['reason'], 'DeadlineExceeded')
  bench.cri.forgetAll()
  await bench.pass(minutes(2))
  assert.equal(bench.cri.sandboxes.size, 0)
  await bench.stop()
})

test('nothing is worked on again and again while a pod waits for the end of its containers', async () => {
  const spec = { activeDeadlineSeconds: 60, containers: [...APP.containers, { name: 'bad', image: 'till:1' }] }
  const bench = new PodsBench()
  bench.cri.answers.set('CreateContainer', ({ config }, usual) => {
    if (Object(config).metadata.name === 'bad') throw refusal('no such device')
    return usual()
  })
  bench.cri.answers.set('StopContainer', slowEnd(bench, seconds(30)))
  await bench.start()
  bench.assign(spec)
  let steps = 0
  const plain = bench.crew.desired.get.bind(bench.crew.desired)
  bench.crew.desired.get = (uid) => {
    steps++
    return plain(uid)
  }
  await bench.secondsUntil(() => bench.count('Killing') === 1)
  steps = 0
  await bench.pass(seconds(25))
  assert.ok(steps <= 20, `${steps} looks at what is wanted in 25 s`)
  await bench.stop()
})
