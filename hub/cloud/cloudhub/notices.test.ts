import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ms, seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import { Notices } from './notices.ts'

function start({ isPaced = false } = {}) {
  const clock = new FakeClock()
  const written: string[] = []
  const dropped: string[] = []
  let socket = Promise.withResolvers<void>()
  socket.resolve()
  const notices = new Notices({
    clock,
    isPaced,
    async write({ header }) {
      written.push(header.msg_id)
      await socket.promise
    },
    onDrop: (cause) => void dropped.push(cause),
  })
  return {
    ...{ clock, written, dropped, notices },
    stall() {
      socket = Promise.withResolvers()
    },
    flow: () => socket.resolve(),
  }
}

const frame = (id: string, content = ''): Frame => ({ header: { msg_id: id, timestamp: 1 }, route: {}, content })

test('a node that does not read costs a thousand frames or eight megabytes, and what is beyond is counted', async () => {
  const { clock, notices, written, dropped, stall, flow } = start()
  stall()
  for (let count = 0; count < 1003; count++) notices.put(frame(String(count)))
  assert.deepEqual([written.length, notices.depth, dropped], [1, 1000, ['notices-full', 'notices-full']])
  flow()
  await clock.advance(ms(1))
  stall()
  notices.put(frame('first'))
  for (let count = 0; count < 20; count++) notices.put(frame(`large-${count}`, 'x'.repeat(1_000_000)))
  assert.equal(dropped.filter((cause) => cause === 'notices-bytes').length, 12)
  flow()
  await clock.advance(ms(1))
  assert.deepEqual([notices.depth, written.length], [0, 1001 + 1 + 8])
})

test('one that is larger than the bound goes where nothing else waits', async () => {
  const { clock, notices, written, dropped } = start()
  notices.put(frame('huge', 'x'.repeat(9_000_000)))
  await clock.advance(ms(1))
  assert.deepEqual([written, dropped], [['huge'], []])
})

test('an original edge, which keeps a hundred frames and drops the oldest, gets fifty at once and a hundred a second', async () => {
  const { clock, notices, written } = start({ isPaced: true })
  for (let count = 0; count < 400; count++) notices.put(frame(String(count)))
  await clock.advance(ms(1))
  assert.ok(written.length <= 52, String(written.length))
  await clock.advance(seconds(1))
  assert.ok(written.length >= 148 && written.length <= 154, String(written.length))
  await clock.advance(seconds(3))
  assert.deepEqual(
    written,
    Array.from({ length: 400 }, (_, index) => String(index)),
  )
})

test('nothing is written after the end', async () => {
  const { clock, notices, written } = start({ isPaced: true })
  for (let count = 0; count < 100; count++) notices.put(frame(String(count)))
  await clock.advance(ms(1))
  const before = written.length
  notices[Symbol.dispose]()
  notices.put(frame('late'))
  await clock.advance(seconds(10))
  assert.deepEqual([written.length, clock.waiting], [before, 0])
})
