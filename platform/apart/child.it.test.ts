import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { systemClock as clock } from '../time/index.ts'
import { startChild } from './index.ts'

const entry = new URL('./testing/child.ts', import.meta.url)

function start(t: TestContext) {
  const child = startChild({ entry, heapMegabytes: 64, clock })
  t.after(() => child.kill())
  return child
}

test('carries everything that can be cloned, in order, each line for itself', async (t) => {
  const child = start(t)
  const line = child.line('echo')
  const heard: unknown[] = []
  const complete = new Promise<void>((resolve) =>
    line.on('message', (message) => heard.push(message) === 3 && resolve()),
  )
  const sent = [{ big: 2n ** 60n, when: new Date(0) }, new Map([['a', new Uint8Array([0, 255])]]), undefined]
  for (const message of sent) line.postMessage(message)
  await complete
  assert.deepEqual(
    heard.map((each) => (each instanceof Map ? [...each].map(([, bytes]) => [...bytes]) : each)),
    [sent[0], [[0, 255]], undefined],
  )
  assert.throws(() => line.postMessage(() => undefined), /could not be cloned/)
})

test('tells what the child threw, and closes its lines', async (t) => {
  const child = start(t)
  const closed = new Promise<void>((resolve) => child.line('pid').on('close', resolve))
  child.line('do').postMessage('throw')
  const { code, failure } = await child.ended
  assert.deepEqual([code, failure?.message], [1, 'nobody caught this'])
  await closed
})

test('a child that ends itself ends with code 0', async (t) => {
  const child = start(t)
  child.line('do').postMessage('end')
  assert.deepEqual(await child.ended, { code: 0, signal: null, failure: undefined })
})

for (const [what, told] of [
  ['babble', /what it sent could not be read: .*deserialize/],
  ['threaten', /what it sent could not be read: a message of 4295 MB is too large/],
] as const) {
  test(`a child that ${what}s on the channel ends, and nothing else does`, async (t) => {
    const child = start(t)
    child.line('do').postMessage(what)
    const { failure } = await child.ended
    assert.match(failure?.message ?? '', told)
  })
}

test('what a child sent before it ended has arrived when its end is told', async (t) => {
  const child = start(t)
  let bytes = 0
  child.line('echo').on('message', (message) => {
    bytes += message instanceof Uint8Array ? message.length : 0
  })
  for (let count = 0; count < 20; count++) child.line('echo').postMessage(new Uint8Array(1e6))
  child.line('do').postMessage('throw')
  const { failure } = await child.ended
  assert.deepEqual([bytes, failure?.message], [20e6, 'nobody caught this'])
})

test('with a child end the processes that it has started', { timeout: 30_000 }, async (t) => {
  const child = start(t)
  const pids: number[] = []
  const both = new Promise<void>((resolve) =>
    child.line('pid').on('message', (pid) => typeof pid === 'number' && pids.push(pid) === 2 && resolve()),
  )
  child.line('do').postMessage('breed')
  await both
  child.line('pid').postMessage('die')
  assert.equal((await child.ended).signal, 'SIGKILL')
  for (const pid of pids) while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 20))
})

for (const what of ['loop', 'wait']) {
  test(`a child that ${what}s ends when its parent is killed`, { timeout: 30_000 }, async (t) => {
    const parent = fork(new URL('./testing/parent.ts', import.meta.url), [what])
    const [pid]: unknown[] = await once(parent, 'message')
    assert.ok(typeof pid === 'number')
    t.after(() => isAlive(pid) && process.kill(pid, 'SIGKILL'))
    assert.equal(isAlive(pid), true)
    parent.kill('SIGKILL')
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 50))
  })
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    // ESRCH
    return false
  }
}
