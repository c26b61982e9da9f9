import assert from 'node:assert/strict'
import { test } from 'node:test'
import { minutes, seconds } from '../../../platform/time/index.ts'
import { PodsBench } from '../testing/pods-bench.ts'

async function running(): Promise<PodsBench> {
  const bench = new PodsBench()
  await bench.start()
  bench.assign()
  await bench.secondsUntil(() => /^Running/.test(bench.said))
  return bench
}

test('a container that crashes again and again waits longer each time, says so once, and is forgiven after 10 min', async () => {
  const bench = await running()
  const waited: number[] = []
  for (let crash = 0; crash < 4; crash++) {
    bench.cri.exit(bench.cri.container(), 1)
    const next = `app-${crash + 1} RUNNING`
    waited.push(Math.floor(await bench.secondsUntil(() => bench.cri.containersNow.includes(next))))
  }
  for (const [crash, least] of [0, 10, 20, 40].entries()) {
    const took = waited[crash] ?? -1
    assert.ok(took >= least && took <= least + 2, `crash ${crash} waited ${took} s`)
  }
  assert.equal(bench.count('BackOff: Back-off restarting failed container app in pod till_shop(u-1)'), 3)
  await bench.pass(minutes(11), seconds(10))
  bench.cri.exit(bench.cri.container(), 1)
  assert.ok((await bench.secondsUntil(() => bench.cri.containersNow.includes('app-5 RUNNING'))) <= 2)
  assert.match(JSON.stringify(bench.status), /"restartCount":5/)
  await bench.stop()
})

test('where nothing changes nothing is reported, and the runtime is asked for two lists a second', async () => {
  const bench = await running()
  const [reports, calls] = [bench.reports.length, bench.cri.channel.calls.length]
  await bench.pass(minutes(3))
  assert.equal(bench.reports.length, reports)
  assert.ok(bench.cri.channel.calls.length - calls <= 2 * 181)
  await bench.stop()
})

test('a full disk keeps no pod from running, being reported or ending, and what it missed is written later', async () => {
  const bench = new PodsBench()
  bench.diskProblem = new Error('ENOSPC: no space left on device')
  await bench.start()
  bench.assign()
  await bench.secondsUntil(() => bench.said === 'Running app=Running')
  await bench.pass(minutes(1))
  assert.equal(bench.log.messages('error').length, 1)
  assert.equal(bench.records.size, 0)
  bench.diskProblem = undefined
  await bench.pass(seconds(12))
  assert.deepEqual(bench.records.get('u-1')?.status, bench.status)
  bench.diskProblem = new Error('ENOSPC: no space left on device')
  await bench.pods.end('u-1', { reason: 'Evicted', message: 'The node was low on resource: disk.' }, seconds(1))
  await bench.secondsUntil(() => /^Failed/.test(bench.said))
  assert.equal(bench.status['reason'], 'Evicted')
  await bench.stop()
})
