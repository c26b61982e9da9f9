import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../time/index.ts'
import { FakeClock } from '../time/testing/index.ts'
import { boundedLogger } from './index.ts'
import { memoryLogger } from './testing/index.ts'

test('says each sentence so often in a while, and how many lines were left out with the next one', async () => {
  const { clock, memory, log } = create()
  for (let at = 0; at < 10; at++) log.child({ part: 'one' }).warn('A peer is bad', { at })
  await clock.advance(seconds(61))
  for (let at = 10; at < 12; at++) log.child({ part: 'two' }).warn('A peer is bad', { at })
  assert.deepEqual(
    memory.lines.map(({ fields }) => fields),
    [
      { part: 'one', at: 0 },
      { part: 'one', at: 1 },
      { part: 'two', at: 10, unsaid: 8 },
      { part: 'two', at: 11 },
    ],
  )
})

test('does not let one sentence silence another, and passes other levels', () => {
  const { memory, log } = create()
  for (let at = 0; at < 5; at++) {
    log.warn('A peer is bad')
    log.info('A peer came')
    log.debug('A peer spoke')
  }
  log.error('The disk is gone')
  assert.deepEqual(
    [memory.messages('warn').length, memory.messages('info').length, memory.messages('debug').length],
    [2, 5, 5],
  )
  assert.deepEqual(memory.messages('error'), ['The disk is gone'])
})

function create() {
  const clock = new FakeClock()
  const memory = memoryLogger()
  return { clock, memory, log: boundedLogger(memory, { clock, most: 2 }) }
}
