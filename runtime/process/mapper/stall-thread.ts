import { writeSync } from 'node:fs'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { StallGuardStart } from './stall-guard.ts'

/** The stream of a thread goes through the main one, which is blocked. */
const STDERR = 2

function startOf(data: unknown): StallGuardStart
function startOf(data: unknown): unknown {
  return data
}

/** A thread that waits for beats of the main one, and ends the program when none comes. */
if (parentPort) {
  const { beats, patienceMs } = startOf(workerData)
  while (Atomics.wait(beats, 0, Atomics.load(beats, 0), patienceMs) !== 'timed-out');
  let doing = ''
  for (let message = receiveMessageOnPort(parentPort); message; message = receiveMessageOnPort(parentPort)) {
    doing = String(message.message)
  }
  const lines = [
    `FAIL ${doing}`,
    `       the mapper or its test server blocked the thread for ${patienceMs / 1000} s; the rest is not tried`,
    '       What to do: look for a loop that waits for nothing, such as a flood of reports; an edge ends such a mapper.',
  ]
  writeSync(STDERR, `${lines.join('\n')}\n`)
  process.kill(process.pid, 'SIGKILL')
}
