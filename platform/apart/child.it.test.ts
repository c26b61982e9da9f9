import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { startChild } from './index.ts'

const entry = new URL('./testing/child.ts', import.meta.url)

function start(t: TestContext) {
  const child = startChild({ entry, heapMegabytes: 64 })
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
