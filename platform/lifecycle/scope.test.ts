import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../log/testing/index.ts'
import { DeadlineError, seconds } from '../time/index.ts'
import { FakeClock } from '../time/testing/index.ts'
import { createScope } from './scope.ts'

test('closing aborts, waits for work, then releases in reverse', async () => {
  const { scope, seen } = setup()
  scope.defer(() => void seen.push('first'))
  scope.use({ [Symbol.asyncDispose]: async () => void seen.push('second') })
  scope.use({ [Symbol.dispose]: () => void seen.push('third') })
  scope.run(async (signal) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    seen.push('work')
  })
  await scope[Symbol.asyncDispose]()
  assert.deepEqual(seen, ['work', 'third', 'second', 'first'])
})

test('reports the first rejection of background work as a crash, later ones to the log', async () => {
  const { scope, crashes, log, clock } = setup()
  scope.run(() => {
    throw new Error('one')
  })
  scope.run(() => Promise.reject(new Error('two')))
  await clock.advance(seconds(0))
  assert.deepEqual(crashes.map(String), ['Error: one'])
  assert.deepEqual(log.messages('error'), ['More background work of a crashed module failed'])
  await scope[Symbol.asyncDispose]()
})

test('work that rejects with the reason of the abort has stopped well; another error is reported', async () => {
  const { scope, crashes } = setup()
  scope.run((signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))))
  scope.run((signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('dirty')))))
  await assert.rejects(scope.close(seconds(10)), (error) => {
    assert.ok(error instanceof AggregateError)
    assert.deepEqual(error.errors.map(String), ['Error: dirty'])
    return true
  })
  assert.deepEqual(crashes, [])
})

test('a release that throws does not keep the others from running', async () => {
  const { scope, seen } = setup()
  scope.defer(() => void seen.push('first'))
  scope.defer(() => {
    throw new Error('stuck')
  })
  await assert.rejects(scope.close(seconds(10)), { message: 'module did not stop cleanly' })
  assert.deepEqual(seen, ['first'])
})

test('closing ends at its deadline though work and releases hang, and every release was begun', async () => {
  const { scope, seen, clock } = setup()
  scope.defer(() => void seen.push('last'))
  scope.defer(() => new Promise(() => seen.push('hangs')))
  scope.run(() => new Promise(() => undefined))
  const closing = assert.rejects(scope.close(seconds(10)), (error) => {
    assert.ok(error instanceof AggregateError)
    assert.equal(error.errors.length, 2)
    assert.ok(error.errors.every((one) => one instanceof DeadlineError))
    return true
  })
  await clock.advance(seconds(10))
  await closing
  assert.deepEqual(seen, ['hangs', 'last'])
})

test('a resource that comes late is released, and its owner learns that it is late', async () => {
  const { scope, seen, clock } = setup()
  await scope[Symbol.asyncDispose]()
  const late = { [Symbol.asyncDispose]: async () => void seen.push('late') }
  assert.throws(() => scope.use(late), { name: 'ScopeClosed' })
  await clock.advance(seconds(0))
  assert.deepEqual(seen, ['late'])
  scope.run(async () => void seen.push('never'))
  await clock.advance(seconds(0))
  assert.deepEqual(seen, ['late'])
})

function setup() {
  const clock = new FakeClock()
  const log = memoryLogger()
  const crashes: unknown[] = []
  const seen: string[] = []
  const scope = createScope('module', { clock, log, deadline: seconds(10), onCrash: (error) => crashes.push(error) })
  return { clock, log, crashes, seen, scope }
}
