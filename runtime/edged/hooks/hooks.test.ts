import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { ExecResult } from '../cri/runtime.ts'
import { firstContainer, testPod } from '../testing/test-pod.ts'
import { createHooks } from './create-hooks.ts'

const PLACE = 'for Container "app" in Pod "till_shop(u-1)" failed - error: '

function setup(answer: () => Promise<ExecResult>) {
  const clock = new FakeClock()
  const commands: string[] = []
  const execSync = (id: string, command: readonly string[]) => {
    commands.push(`${id}: ${command.join(' ')}`)
    return answer()
  }
  const hooks = createHooks({ runtime: { execSync }, clock })
  const run = (preStop: JsonObject, signal = new AbortController().signal) => {
    const pod = testPod({ lifecycle: { preStop } })
    const container = firstContainer(pod)
    assert.ok(container.lifecycle.preStop)
    return hooks.run(container.lifecycle.preStop, { pod, container, containerId: 'c-1', podIp: '127.0.0.1' }, signal)
  }
  return { clock, commands, run }
}

const done = async () => ({ stdout: Buffer.alloc(0), stderr: Buffer.alloc(0), exitCode: 0 })
const command = { exec: { command: ['sh', '-c', 'sync'] } }

test('a command runs in the container, and one that fails says how it ended and what it wrote', async () => {
  const well = setup(done)
  await well.run(command)
  assert.deepEqual(well.commands, ['c-1: sh -c sync'])
  const ill = setup(async () => ({ stdout: Buffer.from('out\n'), stderr: Buffer.from('no disk'), exitCode: 3 }))
  await assert.rejects(ill.run(command), {
    code: 'EDGED_HOOK_FAILED',
    message: `Exec lifecycle hook ([sh -c sync]) ${PLACE}command 'sh -c sync' exited with 3: no disk, message: "out\\nno disk"`,
  })
  const away = setup(() => Promise.reject(new UnavailableError('The container runtime does not answer', { code: 'X' })))
  await assert.rejects(away.run(command), {
    message: `Exec lifecycle hook ([sh -c sync]) ${PLACE}The container runtime does not answer, message: ""`,
  })
})

test('a sleep takes its time, and its deadline ends it', async () => {
  const { clock, run } = setup(done)
  let isDone = false
  const slept = run({ sleep: { seconds: 5 } }).then(() => {
    isDone = true
  })
  await clock.advance(seconds(4))
  assert.equal(isDone, false)
  await clock.advance(seconds(1))
  await slept
  const end = new AbortController()
  const broken = assert.rejects(run({ sleep: { seconds: 500 } }, end.signal), {
    message: `Sleep lifecycle hook (500) ${PLACE}container terminated before sleep hook finished`,
  })
  end.abort()
  await broken
  assert.equal(clock.waiting, 0)
})

test('a hook by tcpSocket, or of nothing, fails: nobody runs it', async () => {
  const { run } = setup(done)
  await assert.rejects(run({ tcpSocket: { port: 80 } }), {
    message: 'Cannot run handler: invalid handler: tcpSocket is not run in hooks',
  })
  await assert.rejects(run({}), /Cannot run handler: invalid handler: it has no exec, httpGet or sleep/)
})
