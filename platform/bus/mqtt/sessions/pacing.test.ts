import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ms, seconds } from '../../../time/index.ts'
import { FakeClock } from '../../../time/testing/index.ts'
import { SESSION_LIMITS } from './limits.ts'
import { Pacing } from './pacing.ts'
import { Session } from './session.ts'

test('a client that cannot keep up holds a publisher once, until it has caught up', async () => {
  const { clock, pacing, session } = setup()
  let done = 0
  const publish = () => pacing.pace([session], () => done++)
  pacing.pace([], () => done++)
  assert.equal(done, 1, 'nobody to wait for')
  publish()
  assert.equal(done, 1)
  await clock.advance(ms(300))
  assert.equal(done, 2)
  publish()
  assert.equal(done, 3, 'it is late, and not waited for again')
  pacing.clear(session)
  publish()
  assert.equal(done, 3, 'it paces again')
  pacing.clear(session)
  assert.deepEqual([done, clock.waiting], [4, 0])
})

test('a message waits for all that cannot keep up, and a long list for as long as it takes', async () => {
  const { clock, pacing, session } = setup()
  const other = setup().session
  let done = 0
  pacing.pace([session, other], () => done++)
  pacing.clear(session)
  assert.equal(done, 0)
  pacing.clear(other)
  assert.equal(done, 1)
  let isClear = false
  const clear = pacing.whenClear(session).then(() => {
    isClear = true
  })
  await clock.advance(seconds(5))
  assert.equal(isClear, false)
  pacing[Symbol.dispose]()
  await clear
  assert.equal(clock.waiting, 0)
})

test('a client whose socket takes nothing for half a minute is given up, once; one that only acknowledges nothing is not', async () => {
  const { clock, pacing, session, stalled } = setup()
  const silent = setup(false).session
  pacing.pace([session, silent], () => undefined)
  await clock.advance(seconds(29))
  assert.deepEqual(stalled, [])
  await clock.advance(seconds(60))
  assert.deepEqual(stalled, [session])
})

test('a hundred thousand publishers that wait are let go without a deep stack', () => {
  const { pacing, session } = setup()
  let done = 0
  for (let index = 0; index < 100_000; index++) pacing.pace([session], () => done++)
  pacing.clear(session)
  assert.equal(done, 100_000)
})

function setup(writableNeedDrain = true) {
  const clock = new FakeClock()
  const session = new Session('slow', true, SESSION_LIMITS, 0)
  // Attached to whatever connection: only that there is one counts here.
  Object.assign(session, { client: { conn: { writableNeedDrain } } })
  const stalled: Session[] = []
  return { clock, session, stalled, pacing: new Pacing({ clock, onStalled: (who) => void stalled.push(who) }) }
}
