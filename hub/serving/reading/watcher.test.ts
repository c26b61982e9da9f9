import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChangeLog, changeOf, eventOf } from '../../kube/watch/index.ts'
import { createWatcher } from './watcher.ts'

function setUp() {
  const log = new ChangeLog(0, { changes: 100, bytes: Infinity })
  const state = { version: 0, behind: 0 }
  const add = (key: string, bytes = 0) => {
    const version = ++state.version
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: key, resourceVersion: String(version) } }
    const change = changeOf(version, key, undefined, object)
    assert.ok(change)
    log.append(change, bytes)
  }
  const aborting = new AbortController()
  const watcher = createWatcher({
    log,
    version: () => state.version,
    eventFor: (change) => (change.key.startsWith('default/') ? eventOf(change, () => true) : undefined),
    onBehind: () => void state.behind++,
    signal: aborting.signal,
  })
  return { log, add, watcher, aborting, state }
}

describe('a watcher', () => {
  it('gets what concerns it, and a bookmark only after all of it', async () => {
    const { add, watcher } = setUp()
    const steps = watcher.steps()[Symbol.asyncIterator]()
    watcher.remind()
    add('default/a')
    add('other/b')
    const first = (await steps.next()).value
    add('default/c')
    const rest = [(await steps.next()).value, (await steps.next()).value]
    const keys = [first, ...rest].map((step) => (typeof step === 'object' ? step.object.metadata['name'] : step))
    assert.deepEqual(keys, ['default/a', 'default/c', 3])
  })

  it('that is too far behind, by events or by their text, is cut off and counted', async () => {
    for (const [most, bytes] of [
      [10_000, 0],
      [16, 1024 * 1024],
    ] as const) {
      const { add, watcher, state } = setUp()
      const steps = watcher.steps()[Symbol.asyncIterator]()
      for (let count = 0; count < most; count++) add('default/a', bytes)
      add('other/b', bytes)
      assert.equal(watcher.isEnded, false)
      add('default/a', bytes + 1)
      assert.deepEqual([watcher.isEnded, state.behind], [true, 1])
      add('default/a', bytes)
      assert.equal(state.behind, 1)
      await watcher.unlessEnded(new Promise(() => undefined))
      assert.equal((await steps.next()).done, true)
    }
  })

  it('that reads on is not cut off, however much it is told', async () => {
    const { add, watcher, state } = setUp()
    const steps = watcher.steps()[Symbol.asyncIterator]()
    for (let round = 0; round < 5; round++) {
      for (let count = 0; count < 4_000; count++) add('default/a', 1024)
      for (let count = 0; count < 4_000; count++) await steps.next()
    }
    assert.deepEqual([watcher.isEnded, state.behind], [false, 0])
  })

  it('waits for what it is given, or its end', async () => {
    const { watcher } = setUp()
    await watcher.unlessEnded(Promise.resolve())
    const forever = watcher.unlessEnded(new Promise(() => undefined))
    watcher.end()
    await forever
    await watcher.unlessEnded(new Promise(() => undefined))
  })

  it('ends with its signal and listens no more', async () => {
    const { log, watcher, aborting } = setUp()
    const next = watcher.steps()[Symbol.asyncIterator]().next()
    aborting.abort()
    assert.equal((await next).done, true)
    watcher[Symbol.dispose]()
    assert.equal(log.watchers, 0)
  })
})
