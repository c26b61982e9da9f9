import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryLogger } from '../../../log/testing/index.ts'
import { type Random, seconds, systemRandom } from '../../../time/index.ts'
import { FakeClock } from '../../../time/testing/index.ts'
import type { BrokerConnection, Dial } from './connection.ts'
import { keepConnected } from './link.ts'

const random: Random = { ...systemRandom, next: () => 0.999_999 }

test('waits grow to less than 5 s with jitter, begin anew after a good connection, and end with the module', async () => {
  const clock = new FakeClock()
  const attempts: number[] = []
  let isUp = false
  let current: BrokerConnection | undefined
  const dial: Dial = async () => {
    attempts.push(clock.monotonic())
    if (!isUp) throw new Error('refused')
    current = fakeConnection()
    return current
  }
  const states: (string | undefined)[] = []
  const stop = new AbortController()
  const log = memoryLogger()
  const running = keepConnected(
    {
      ...{ dial, clock, random, log },
      receive: () => () => undefined,
      onConnected: () => undefined,
      onDisconnected: () => undefined,
      onState: (reason) => states.push(reason),
    },
    stop.signal,
  )
  await clock.advance(seconds(30))
  const waits = attempts.slice(1).map((at, index) => Math.round(at - (attempts[index] ?? 0)))
  assert.deepEqual(waits.slice(0, 6), [200, 400, 800, 1600, 3200, 4000])
  assert.ok(Math.max(...waits) < 5000)
  assert.equal(log.messages('warn').length, 1, 'an outage is told once')

  isUp = true
  await clock.advance(seconds(5))
  assert.equal(states.at(-1), undefined)
  await clock.advance(seconds(20))
  attempts.length = 0
  current?.abort('broken')
  await clock.advance(seconds(1))
  assert.equal(attempts.length, 1)
  assert.equal(states.at(-1), undefined)

  stop.abort(new Error('stop'))
  await clock.advance(seconds(2))
  await running
  assert.equal(clock.waiting, 0)
})

test('a broker that accepts and hangs up at once is not asked in a tight loop', async () => {
  const clock = new FakeClock()
  let attempts = 0
  const dial: Dial = async () => {
    attempts++
    const connection = fakeConnection()
    connection.abort('session taken over')
    return connection
  }
  const stop = new AbortController()
  const running = keepConnected(
    {
      ...{ dial, clock, random, log: memoryLogger() },
      receive: () => () => undefined,
      onConnected: () => undefined,
      onDisconnected: () => undefined,
      onState: () => undefined,
    },
    stop.signal,
  )
  await clock.advance(seconds(60))
  assert.ok(attempts > 5 && attempts < 25, `${attempts}`)
  stop.abort(new Error('stop'))
  await running
})

test('a broker that does not answer the connect is given up in time', async () => {
  const clock = new FakeClock()
  let aborted = 0
  const dial: Dial = (_receive, signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => {
        aborted++
        reject(signal.reason)
      })
    })
  const states: (string | undefined)[] = []
  const stop = new AbortController()
  const running = keepConnected(
    {
      ...{ dial, clock, random, log: memoryLogger() },
      receive: () => () => undefined,
      onConnected: () => undefined,
      onDisconnected: () => undefined,
      onState: (reason) => states.push(reason),
    },
    stop.signal,
  )
  await clock.advance(seconds(11))
  assert.equal(aborted, 1)
  assert.deepEqual(states, ['connecting', 'no answer within 10000 ms'])
  stop.abort(new Error('stop'))
  await running
  assert.equal(aborted, 2)
})

function fakeConnection(): BrokerConnection {
  const { promise: closed, resolve } = Promise.withResolvers<string>()
  return {
    closed,
    publish: () => undefined,
    subscribe: async () => true,
    unsubscribe: async () => undefined,
    end: () => resolve('this side ended it'),
    abort: resolve,
  }
}
