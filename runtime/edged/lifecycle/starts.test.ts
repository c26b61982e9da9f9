import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, ms, seconds } from '../../../platform/time/index.ts'
import { PodsBench } from '../testing/pods-bench.ts'
import { refusal, silence } from '../testing/scripted-channel.ts'

/** Never settles before the call is given up. */
const hangs = (_request: unknown, _usual: unknown, signal: AbortSignal | undefined) =>
  new Promise<never>((_resolve, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
const names = (count: number) => Array.from({ length: count }, (_, index) => ({ name: `c-${index}`, image: 'till:1' }))

async function started(spec = {}): Promise<PodsBench> {
  const bench = new PodsBench()
  await bench.start()
  bench.assign(spec)
  return bench
}

test('a sandbox that hangs is given up after its time, told, and tried again', async () => {
  const bench = new PodsBench()
  bench.cri.answers.set('RunPodSandbox', hangs)
  await bench.start()
  bench.assign()
  const took = await bench.secondsUntil(() => bench.count('FailedCreatePodSandBox') === 1)
  assert.equal(took, 240)
  assert.match(bench.events.join(), /Failed to create pod sandbox: The container runtime does not answer/)
  bench.cri.answers.clear()
  assert.ok((await bench.secondsUntil(() => bench.said === 'Running app=Running')) <= 1)
  await bench.stop()
})

test('a sandbox that is refused is tried again at growing distances, and its pod says why meanwhile', async () => {
  const bench = new PodsBench()
  const at: number[] = []
  bench.cri.answers.set('RunPodSandbox', () => {
    at.push(bench.clock.monotonic())
    throw refusal('no network for pods')
  })
  await bench.start()
  bench.assign()
  await bench.pass(seconds(50))
  const between = at.slice(1).map((each, index) => Math.round((each - (at[index] ?? 0)) / 10) * 10)
  assert.deepEqual(between, [750, 1500, 3000, 6000, 12_000, 24_000])
  assert.equal(bench.said, 'Pending app=ContainerCreating')
  assert.match(JSON.stringify(bench.status), /Failed to create pod sandbox: no network for pods/)
  // One Event with a count is made of them, as each says the same.
  assert.equal(new Set(bench.events).size, 1)
  // Its status is news once.
  assert.equal(bench.reports.length, 1)
  bench.cri.answers.clear()
  await bench.secondsUntil(() => bench.said === 'Running app=Running')
  assert.equal(bench.cri.sandboxes.size, 1)
  await bench.stop()
})

test('a container that cannot be made or started says so, and is tried again until it can', async () => {
  const bench = new PodsBench()
  await bench.start()
  bench.cri.answers.set('CreateContainer', () => {
    throw refusal('no such device')
  })
  bench.assign()
  await bench.pass(seconds(10))
  assert.equal(bench.said, 'Pending app=CreateContainerError')
  assert.equal(bench.calls('CreateContainer'), 4)
  bench.cri.answers.clear()
  bench.cri.answers.set('StartContainer', () => {
    throw refusal('exec format error')
  })
  await bench.pass(minutes(5))
  assert.equal(bench.said, 'Pending app=RunContainerError')
  assert.match(JSON.stringify(bench.status), /exec format error/)
  // At most one in 30 s in the end, each made anew and none left behind.
  assert.ok(bench.calls('StartContainer') <= 12, `${bench.calls('StartContainer')} starts`)
  assert.deepEqual(bench.cri.containersNow, ['app-0 CREATED'])
  bench.cri.answers.clear()
  await bench.secondsUntil(() => bench.said === 'Running app=Running')
  assert.deepEqual(bench.cri.containersNow, ['app-0 RUNNING'])
  await bench.stop()
})

test('one container that cannot start keeps no other one of its pod', async () => {
  const bench = new PodsBench()
  await bench.start()
  bench.cri.answers.set('CreateContainer', ({ config }, usual) => {
    if (Object(config).metadata.name === 'c-0') throw refusal('no such device')
    return usual()
  })
  bench.assign({ containers: names(3) })
  await bench.pass(seconds(5))
  assert.equal(bench.said, 'Pending c-0=CreateContainerError c-1=Running c-2=Running')
  await bench.stop()
})

test('a container that was made and never started by a process before this one is made anew', async () => {
  const bench = await started()
  bench.cri.answers.set('StartContainer', hangs)
  await bench.pass(seconds(20))
  assert.deepEqual(bench.cri.containersNow, ['app-0 CREATED'])
  bench.cri.answers.clear()
  await bench.secondsUntil(() => bench.said === 'Running app=Running')
  assert.deepEqual(bench.cri.containersNow, ['app-0 RUNNING'])
  await bench.stop()
})

test('a pod with a hundred containers starts, each once, and ends', async () => {
  const bench = await started({ containers: names(100) })
  await bench.secondsUntil(() => bench.said.split('=Running').length === 101)
  assert.equal(bench.calls('CreateContainer'), 100)
  bench.delete({ containers: names(100) })
  await bench.secondsUntil(() => bench.isFinished)
  assert.equal(bench.calls('StopContainer'), 100)
  assert.equal(bench.cri.containers.size, 0)
  await bench.stop()
})

test('a pod with thirty containers starts on a runtime that takes 5 s for each answer', async () => {
  const bench = new PodsBench()
  bench.cri.answers.set('*', async (_request, usual, signal) => {
    await bench.clock.sleep(seconds(5), signal)
    return usual()
  })
  await bench.start()
  bench.assign({ containers: names(30) })
  const running = () => bench.cri.containersNow.filter((each) => each.endsWith('RUNNING')).length
  await bench.secondsUntil(() => running() === 30, minutes(60), seconds(1))
  // None was made twice, but for what was under way when a run was over.
  assert.ok(bench.calls('CreateContainer') <= 32, `${bench.calls('CreateContainer')} were made`)
  await bench.secondsUntil(() => /^Running/.test(bench.said), minutes(10), seconds(1))
  bench.delete({ containers: names(30) }, 10)
  await bench.secondsUntil(() => bench.isFinished, minutes(60), seconds(1))
  assert.equal(bench.cri.containers.size, 0)
  await bench.stop()
})

test('a thousand containers of a hundred pods start, and are looked at with two calls a second', async () => {
  const bench = new PodsBench()
  await bench.start()
  for (let pod = 0; pod < 100; pod++) bench.assign({ containers: names(10) }, { name: `p-${pod}`, uid: `u-${pod}` })
  const running = () => [...bench.cri.containers.values()].filter(({ state }) => state === 'RUNNING').length
  assert.ok((await bench.secondsUntil(() => running() === 1000)) <= 5)
  await bench.pass(seconds(2), seconds(1))
  const before = bench.cri.channel.calls.length
  await bench.pass(seconds(10), seconds(1))
  const calls = bench.cri.channel.calls.slice(before).map(({ method }) => method)
  assert.deepEqual(new Set(calls), new Set(['ListPodSandbox', 'ListContainers']))
  assert.ok(calls.length <= 20, `${calls.length} calls in 10 s`)
  await bench.stop()
})

test('while the runtime is away pods say what is missing, and they start when it is there', async () => {
  const bench = new PodsBench()
  bench.cri.answers.set('*', () => {
    throw silence('any')
  })
  await bench.start()
  bench.assign()
  await bench.pass(minutes(60), minutes(5))
  assert.equal(bench.said, 'Pending app=ContainerRuntimeMissing')
  assert.equal(bench.events.length, 1)
  assert.equal(bench.reports.length, 1)
  assert.deepEqual(bench.log.messages('warn'), ['The container runtime does not answer'])
  bench.cri.answers.clear()
  assert.ok((await bench.secondsUntil(() => bench.said === 'Running app=Running')) <= 2)
  await bench.stop()
})

test('a pod that is deleted before its runtime ever answered is finished', async () => {
  const bench = new PodsBench()
  bench.cri.answers.set('*', () => {
    throw silence('any')
  })
  await bench.start()
  bench.assign()
  await bench.pass(seconds(2))
  bench.delete()
  await bench.secondsUntil(() => bench.isFinished)
  await bench.stop()
})

test('a runtime that does not speak CRI v1 is told of in words that help', async () => {
  const bench = new PodsBench()
  bench.cri.answers.set('*', () => {
    throw refusal('unknown service runtime.v1.RuntimeService')
  })
  await bench.start()
  bench.assign()
  await bench.pass(seconds(5))
  assert.match(JSON.stringify(bench.status), /containerd to be 1.6 or later: unknown service runtime.v1.RuntimeService/)
  await bench.stop()
})

test('another image while a pod starts is the one that runs in the end', async () => {
  const bench = new PodsBench()
  bench.cri.images.add('till:2')
  const pull = Promise.withResolvers<void>()
  bench.cri.answers.set('PullImage', async (_request, usual) => {
    await pull.promise
    return usual()
  })
  await bench.start()
  bench.assign({ containers: [{ name: 'app', image: 'away:1' }] })
  await bench.pass(seconds(3))
  assert.equal(bench.said, 'Pending app=ContainerCreating')
  bench.assign({ containers: [{ name: 'app', image: 'till:2' }] })
  await bench.secondsUntil(() => bench.said === 'Running app=Running')
  bench.assign()
  await bench.secondsUntil(() => bench.cri.containersNow.includes('app-1 RUNNING'))
  assert.equal(Object(bench.cri.container().config['image']).image, 'till:1')
  pull.resolve()
  await bench.pass(ms(100))
  await bench.stop()
})
