import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ms, seconds } from '../../time/index.ts'
import { FakeClock } from '../../time/testing/index.ts'
import { type Handler, Handling } from './handling.ts'

const message = { topic: 'a', payload: new Uint8Array(), qos: 1, retain: false } as const
const never: Handler = () => Promise.withResolvers<void>().promise

test('a message is taken when all of its handlers have taken it', async () => {
  const handling = new Handling(new FakeClock())
  const slow = Promise.withResolvers<void>()
  let isTaken = false
  const taken = handling.take([async () => undefined, () => slow.promise], message).then(() => {
    isTaken = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isTaken, false)
  slow.resolve()
  await taken
})

test('a handler that rejects or throws at once has not taken it', async () => {
  const handling = new Handling(new FakeClock())
  const throws = () => {
    throw new Error('no')
  }
  await assert.rejects(handling.take([async () => undefined, async () => throws()], message), /no/)
  await assert.rejects(handling.take([throws], message), /no/)
})

test('each message has 30 seconds from its own start, and one timer serves them all', async () => {
  const clock = new FakeClock()
  const handling = new Handling(clock)
  const lost: string[] = []
  const take = (name: string, handler: Handler) => {
    handling.take([handler], message).catch((error: unknown) => {
      assert.match(String(error), /no answer within 30000 ms/)
      lost.push(name)
    })
  }
  const quick = Promise.withResolvers<void>()
  take('quick', () => quick.promise)
  await clock.advance(seconds(10))
  take('first', never)
  take('second', never)
  await clock.advance(seconds(10))
  take('third', never)
  assert.equal(clock.waiting, 1)
  quick.resolve()
  await clock.advance(ms(19_999))
  assert.deepEqual(lost, [])
  await clock.advance(ms(1))
  assert.deepEqual(lost, ['first', 'second'])
  assert.equal(clock.waiting, 1)
  await clock.advance(ms(9_999))
  assert.deepEqual(lost, ['first', 'second'])
  await clock.advance(ms(1))
  assert.deepEqual(lost, ['first', 'second', 'third'])
  assert.equal(clock.waiting, 0, 'nothing is worked on, nothing waits')
})
