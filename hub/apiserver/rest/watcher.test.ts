import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ChangeLog, changeOf } from '../../kube/watch/index.ts'
import { createWatcher } from './watcher.ts'

function setUp() {
  const log = new ChangeLog(0, { changes: 100, bytes: Infinity })
  const state = { version: 0 }
  const add = (key: string) => {
    const version = ++state.version
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: key, resourceVersion: String(version) } }
    const change = changeOf(version, key, undefined, object)
    assert.ok(change)
    log.append(change)
  }
  const aborting = new AbortController()
  const watcher = createWatcher({
    log,
    version: () => state.version,
    isConcerned: (key) => key.startsWith('default/'),
    signal: aborting.signal,
  })
  return { log, add, watcher, aborting }
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
    const keys = [first, ...rest].map((step) => (typeof step === 'object' ? step.key : step))
    assert.deepEqual(keys, ['default/a', 'default/c', 3])
  })

  it('that is too far behind is cut off', async () => {
    const { add, watcher } = setUp()
    for (let count = 0; count <= 10_000; count++) add('default/a')
    assert.equal(watcher.isEnded, true)
    await watcher.ended
    assert.equal((await watcher.steps()[Symbol.asyncIterator]().next()).done, true)
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
