import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { type JsonObject, MOST_RESTARTED, type PodRestarted, restartPods } from '../../../schemas/index.ts'
import type { Answer } from '../testing/memory-cri.ts'
import { PodsBench } from '../testing/pods-bench.ts'

async function running(spec: JsonObject = {}): Promise<PodsBench> {
  const bench = new PodsBench()
  await bench.start()
  bench.assign(spec)
  await bench.secondsUntil(() => /^Running/.test(bench.said))
  return bench
}

function restart(bench: PodsBench, ...names: readonly string[]): Promise<readonly PodRestarted[]> {
  return bench.bus.request(restartPods, { namespace: 'shop', names }, { deadline: seconds(1) })
}

/** Of a container that uses its whole grace. */
function slowEnd(bench: PodsBench): Answer {
  return async ({ timeout }, usual, signal) => {
    await bench.clock.sleep(seconds(Number(timeout)), signal)
    return usual()
  }
}

test('a pod that is to be restarted has its containers ended within its grace, and started again at once', async () => {
  const containers = ['app', 'side'].map((name) => ({ name, image: 'till:1' }))
  const bench = await running({ containers, terminationGracePeriodSeconds: 7 })
  bench.cri.answers.set('StopContainer', slowEnd(bench))
  assert.deepEqual(await restart(bench, 'till'), [{ name: 'till', outcome: 'restarting' }])
  await bench.pass(seconds(6))
  assert.deepEqual(bench.cri.containersNow, ['app-0 RUNNING', 'side-0 RUNNING'])
  await bench.secondsUntil(() => bench.cri.containersNow.filter((each) => /-1 RUNNING/.test(each)).length === 2)
  await bench.pass(seconds(30))
  assert.equal(bench.said, 'Running app=Running side=Running')
  assert.equal(JSON.stringify(bench.status).match(/"restartCount":1/g)?.length, 2)
  assert.equal(bench.calls('StopContainer'), 2)
  assert.equal(bench.count('Killing: Container app will be restarted, as was asked for'), 1)
  assert.equal(bench.cri.sandboxes.size, 1)
  await bench.stop()
})

test('restarts that are asked for are no crashes, and a container that waits after crashes waits no longer', async () => {
  const bench = await running()
  for (let attempt = 1; attempt <= 3; attempt++) {
    await restart(bench, 'till')
    const next = `app-${attempt} RUNNING`
    assert.ok((await bench.secondsUntil(() => bench.cri.containersNow.includes(next))) <= 2)
  }
  for (const attempt of [4, 5]) {
    bench.cri.exit(bench.cri.container(), 1)
    await bench.secondsUntil(() => bench.cri.containersNow.includes(`app-${attempt} RUNNING`))
  }
  bench.cri.exit(bench.cri.container(), 1)
  await bench.secondsUntil(() => bench.said === 'Running app=CrashLoopBackOff')
  await restart(bench, 'till')
  assert.ok((await bench.secondsUntil(() => bench.cri.containersNow.includes('app-6 RUNNING'))) <= 2)
  await bench.stop()
})

test('a container that ends well because it was asked to is started again, also where only failures are', async () => {
  const bench = await running({ restartPolicy: 'OnFailure' })
  await restart(bench, 'till')
  assert.ok((await bench.secondsUntil(() => bench.cri.containersNow.includes('app-1 RUNNING'))) <= 2)
  bench.cri.exit(bench.cri.container(), 0)
  await bench.secondsUntil(() => /^Succeeded/.test(bench.said))
  await bench.stop()
})

test('a pod that is not there, that runs once, that ends or has ended is not restarted, and the answer says why', async () => {
  const bench = await running({ restartPolicy: 'Never' })
  const [once, nobody] = await restart(bench, 'till', 'nobody')
  assert.deepEqual(once, {
    ...{ name: 'till', outcome: 'refused' },
    reason: 'its restartPolicy is Never: delete it, and make it anew',
  })
  assert.deepEqual(nobody, { name: 'nobody', outcome: 'unknown', reason: 'this node has no such pod' })
  bench.cri.exit(bench.cri.container(), 0)
  await bench.secondsUntil(() => /^Succeeded/.test(bench.said))
  assert.match(JSON.stringify(await restart(bench, 'till')), /it ends, or has ended/)
  assert.equal(bench.calls('StopContainer'), 0)
  await bench.stop()
})

test('no more pods than the bound are restarted at once', async () => {
  const bench = await running()
  const others = Array.from({ length: MOST_RESTARTED }, (_, index) => `other-${index}`)
  const answers = await restart(bench, ...others, 'till')
  assert.equal(answers.length, MOST_RESTARTED + 1)
  assert.match(JSON.stringify(answers.at(-1)), /no more than 256 are restarted at once/)
  await bench.pass(seconds(2))
  assert.deepEqual(bench.cri.containersNow, ['app-0 RUNNING'])
  await bench.stop()
})
