import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../../log/testing/index.ts'
import { ms } from '../../time/index.ts'
import { FakeClock } from '../../time/testing/index.ts'
import { Emitter } from './emitter.ts'

interface Message {
  readonly topic: string
}

test('a message is done when every subscription has taken it', async () => {
  const { emitter } = setup()
  const taken: (() => void)[] = []
  emitter.on('a/+', (_, done) => taken.push(done))
  emitter.on('a/b', (_, done) => taken.push(done))
  let isDone = false
  emitter.emit({ topic: 'a/b' }, () => {
    isDone = true
  })
  taken[0]?.()
  taken[0]?.()
  assert.equal(isDone, false, 'a callback counts once')
  taken[1]?.()
  assert.ok(isDone)
})

test('a stalled subscription holds its publishers once, and not the others', async () => {
  const { emitter, clock } = setup()
  const stalled: (() => void)[] = []
  let seen = 0
  emitter.on('a', (_, done) => stalled.push(done))
  emitter.on('a', (_, done) => {
    seen++
    done()
  })
  let done = 0
  emitter.emit({ topic: 'a' }, () => done++)
  assert.equal(done, 0)
  await clock.advance(ms(600))
  assert.equal(done, 1)
  emitter.emit({ topic: 'a' }, () => done++)
  assert.deepEqual([done, seen], [2, 2])
  await clock.advance(ms(250))
  assert.equal(clock.waiting, 0, 'nothing waits, no timer runs')

  for (const take of stalled) take()
  emitter.emit({ topic: 'a' }, () => done++)
  assert.equal(done, 2, 'it has caught up and paces again')
})

test('a hundred thousand callbacks at once do not overflow the stack, nor does a chain of them', async () => {
  const { emitter } = setup()
  const backlog: (() => void)[] = []
  const deliver = (_: Message, done: () => void) => void backlog.push(done)
  emitter.on('a', deliver)
  let done = 0
  for (let i = 0; i < 100_000; i++) emitter.emit({ topic: 'a' }, () => done++)
  await new Promise<void>((resolve) => emitter.removeListener('a', deliver, () => resolve()))
  assert.equal(done, 100_000)

  const next = (left: number) => void (left > 0 && emitter.emit({ topic: 'a' }, () => next(left - 1)))
  next(100_000)
  assert.equal(backlog.length, 100_000)
})

test('a closed emitter takes nothing and lets its publishers go', async () => {
  const { emitter, clock, log } = setup()
  emitter.on('a', () => undefined)
  emitter.on('b', () => {
    throw new Error('boom')
  })
  let done = 0
  emitter.emit({ topic: 'b' }, () => done++)
  emitter.emit({ topic: 'a' }, () => done++)
  await new Promise<void>((resolve) => emitter.close(() => resolve()))
  assert.equal(done, 2)
  emitter.emit({ topic: 'a' }, (error) => assert.match(String(error), /closed/))
  assert.equal(clock.waiting, 0)
  assert.deepEqual(log.messages('error'), ['A subscription of the broker threw'])
})

function setup() {
  const clock = new FakeClock()
  const log = memoryLogger()
  return { clock, log, emitter: new Emitter<Message>({ clock, log }) }
}
