import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Backoff, DeadlineError, ms, seconds, systemClock, systemRandom, withDeadline } from './index.ts'
import { FakeClock } from './testing/index.ts'

test('back-off doubles up to its most, and jitter takes at most half', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      fc.integer({ min: 1, max: 80 }),
      (chance, count) => {
        const backoff = new Backoff({ first: ms(100), most: seconds(10) }, { ...systemRandom, next: () => chance })
        let wait = 0
        for (let index = 0; index < count; index++) wait = backoff.next().milliseconds
        const nominal = Math.min(10_000, 100 * 2 ** (count - 1))
        assert.ok(wait >= nominal / 2 && wait <= nominal)
        assert.equal(backoff.failures, count)
        backoff.reset()
        assert.ok(backoff.next().milliseconds <= 100)
      },
    ),
  )
})

test('a deadline aborts the work and rejects even if the work does not listen', async () => {
  const clock = new FakeClock()
  let given: AbortSignal | undefined
  const work = withDeadline(clock, seconds(1), undefined, (signal) => {
    given = signal
    return new Promise(() => undefined)
  })
  const rejected = assert.rejects(work, DeadlineError)
  await clock.advance(seconds(1))
  await rejected
  assert.ok(given?.aborted)
})

test('an outer abort rejects with its reason and leaves no timer', async () => {
  const clock = new FakeClock()
  const controller = new AbortController()
  const work = withDeadline(clock, seconds(1), controller.signal, () => new Promise(() => undefined))
  const reason = new Error('enough')
  controller.abort(reason)
  await assert.rejects(work, reason)
  assert.equal(clock.waiting, 0)
  let called = false
  const late = withDeadline(clock, seconds(1), controller.signal, async () => {
    called = true
  })
  await assert.rejects(late, reason)
  assert.equal(called, false)
})

test('work that ends in time keeps its result and its error, and leaves no timer', async () => {
  const clock = new FakeClock()
  assert.equal(await withDeadline(clock, seconds(1), undefined, async () => 7), 7)
  const broken = new Error('broken')
  await assert.rejects(
    withDeadline(clock, seconds(1), undefined, () => Promise.reject(broken)),
    broken,
  )
  assert.equal(clock.waiting, 0)
})

test('virtual timers fire in order of their time, and what they start falls due in the same advance', async () => {
  const clock = new FakeClock(0)
  const seen: string[] = []
  clock.after(ms(20), () => seen.push('b'))
  clock.after(ms(10), () => {
    seen.push('a')
    clock.after(ms(15), () => seen.push(`c at ${clock.now()}`))
  })
  clock.after(ms(5), () => seen.push('never'))[Symbol.dispose]()
  await clock.advance(ms(30))
  assert.deepEqual(seen, ['a', 'b', 'c at 25'])
  assert.equal(clock.now(), 30)
  clock.jump(seconds(10))
  assert.deepEqual([clock.now(), clock.monotonic()], [10_030, 30])
})

for (const [name, clock] of [['the system clock', systemClock] as const, ['virtual time', new FakeClock()] as const]) {
  test(`a sleep on ${name} rejects with the reason of its abort`, async () => {
    const controller = new AbortController()
    const sleep = clock.sleep(seconds(60), controller.signal)
    const reason = new Error('enough')
    controller.abort(reason)
    await assert.rejects(sleep, reason)
    await assert.rejects(clock.sleep(seconds(60), controller.signal), reason)
  })
}

test('the system clock sleeps, and a wait beyond the longest timer does not fire at once', async () => {
  let fired = false
  using _timer = systemClock.after(ms(2 ** 33), () => {
    fired = true
  })
  const before = systemClock.monotonic()
  await systemClock.sleep(ms(5))
  assert.ok(systemClock.monotonic() - before >= 4)
  assert.equal(fired, false)
})
