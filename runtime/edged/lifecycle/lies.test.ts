import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, ms, seconds } from '../../../platform/time/index.ts'
import { PodsBench } from '../testing/pods-bench.ts'

async function running(spec = {}): Promise<PodsBench> {
  const bench = new PodsBench()
  await bench.start()
  bench.assign(spec)
  await bench.secondsUntil(() => /^Running/.test(bench.said))
  return bench
}

test('a runtime that forgets everything between two looks gets it again, and the restart is counted', async () => {
  const bench = await running()
  bench.cri.forgetAll()
  await bench.pass(seconds(2))
  assert.deepEqual(bench.cri.containersNow, ['app-1 RUNNING'])
  assert.match(JSON.stringify(bench.status), /"restartCount":1/)
  await bench.stop()
})

test('a container that is gone from the list is made again in the sandbox that is there', async () => {
  const bench = await running()
  bench.cri.containers.clear()
  await bench.pass(seconds(2))
  assert.deepEqual(bench.cri.containersNow, ['app-1 RUNNING'])
  assert.equal(bench.calls('RunPodSandbox'), 1)
  await bench.stop()
})

test('a container whose state nobody knows is ended and started again', async () => {
  const bench = await running()
  bench.cri.container().state = 'UNKNOWN'
  await bench.secondsUntil(() => bench.cri.containersNow.includes('app-1 RUNNING'))
  assert.deepEqual(bench.cri.containersNow, ['app-0 EXITED', 'app-1 RUNNING'])
  await bench.stop()
})

test('a container that a runtime says to have ended, and that goes on, is ended again at growing distances', async () => {
  const bench = await running()
  bench.cri.answers.set('StopContainer', () => ({}))
  bench.delete()
  await bench.pass(minutes(5))
  assert.ok(bench.calls('StopContainer') <= 13, `${bench.calls('StopContainer')} times`)
  assert.equal(bench.count('Killing'), 1)
  bench.cri.answers.clear()
  await bench.secondsUntil(() => bench.isFinished)
  await bench.stop()
})

test('containers that run in a sandbox that has ended are ended before there is another one', async () => {
  const bench = await running()
  for (const sandbox of bench.cri.sandboxes.values()) sandbox.isReady = false
  await bench.secondsUntil(() => bench.cri.containersNow.includes('app-1 RUNNING'))
  assert.deepEqual(bench.cri.containersNow, ['app-0 EXITED', 'app-1 RUNNING'])
  assert.equal(bench.cri.sandboxes.size, 2)
  const sandboxes = [...bench.cri.sandboxes.values()]
  assert.deepEqual(
    sandboxes.map(({ isReady }) => isReady),
    [false, true],
  )
  await bench.stop()
})

test('a look that began before a start and comes late does not undo it', async () => {
  const bench = new PodsBench()
  await bench.start()
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  bench.cri.answers.set('ListContainers', async (request, usual) => {
    const answer = usual()
    const isFull = !JSON.stringify(request).includes('pod.uid')
    if (!isFull || isHeld) return answer
    isHeld = true
    await gate.promise
    return answer
  })
  await bench.secondsUntil(() => isHeld)
  bench.assign()
  await bench.pass(seconds(5))
  assert.equal(bench.said, 'Running app=Running')
  const made = bench.calls('CreateContainer')
  gate.resolve()
  await bench.pass(ms(10))
  assert.equal(bench.said, 'Running app=Running')
  await bench.pass(seconds(5))
  assert.equal(bench.calls('CreateContainer'), made)
  await bench.stop()
})

test('a look from before a pod was removed does not bring it back', async () => {
  const bench = await running()
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  bench.cri.answers.set('ListContainers', async (request, usual) => {
    const answer = usual()
    if (JSON.stringify(request).includes('pod.uid') || isHeld) return answer
    isHeld = true
    await gate.promise
    return answer
  })
  await bench.secondsUntil(() => isHeld)
  bench.delete({}, 1)
  await bench.secondsUntil(() => bench.isFinished)
  bench.unassign()
  // Somebody looks at the pod alone, as its worker does.
  await bench.crew.view.refresh('u-1', new AbortController().signal)
  await bench.pass(ms(10))
  const removed = bench.calls('RemoveContainer')
  gate.resolve()
  await bench.pass(ms(10))
  assert.equal(bench.crew.view.get('u-1'), undefined)
  assert.equal(bench.calls('RemoveContainer'), removed)
  await bench.pass(seconds(3))
  assert.deepEqual([...bench.pods.uids()], [])
  await bench.stop()
})

test('an id that the runtime uses again is another container', async () => {
  const bench = await running()
  const old = bench.cri.container()
  bench.cri.containers.set(old.id, { ...old, startedAt: old.startedAt + 5000, createdAt: old.createdAt + 5e9 })
  await bench.pass(seconds(2))
  const [seen] = bench.crew.view.get('u-1')?.containers ?? []
  assert.equal(seen?.startedAt, old.startedAt + 5000)
  await bench.stop()
})

test('a clock that was set back makes no older container of the newest one', async () => {
  const bench = await running()
  bench.clock.jump(ms(-365 * 24 * 3_600_000))
  bench.cri.exit(bench.cri.container(), 1)
  await bench.secondsUntil(() => bench.cri.containersNow.includes('app-1 RUNNING'))
  await bench.pass(minutes(5))
  assert.deepEqual(bench.cri.containersNow, ['app-0 EXITED', 'app-1 RUNNING'])
  // Its ends lie in the past of a year ago; its back-off is that of every other one.
  bench.cri.exit(bench.cri.container(), 1)
  const waited = await bench.secondsUntil(() => bench.cri.containersNow.includes('app-2 RUNNING'))
  assert.ok(waited >= 10 && waited <= 12, `${waited} s`)
  await bench.stop()
})

test('a runtime that does not say when a container ended gets no storm of starts', async () => {
  const bench = await running()
  const crashed = () => {
    bench.cri.exit(bench.cri.container(), 1)
    bench.cri.container().finishedAt = 0
  }
  crashed()
  await bench.secondsUntil(() => bench.cri.containersNow.includes('app-1 RUNNING'))
  crashed()
  const waited = await bench.secondsUntil(() => bench.cri.containersNow.includes('app-2 RUNNING'))
  assert.ok(waited >= 10 && waited <= 12, `${waited} s`)
  await bench.stop()
})
