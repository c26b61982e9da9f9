import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { ms } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import type { Frame } from '../../../schemas/index.ts'
import { createFrameFactory, type Link } from '../../link/index.ts'
import { countingRandom, startEdge } from '../testing/edge-bench.ts'
import { LinkSession } from './link-session.ts'

/** A session whose cloud has so many frames ready, with what it has taken of them. */
async function bench(of: (at: number) => Frame, { isSkerry = true, takeUser = async () => undefined } = {}) {
  const edge = await startEdge({ isReachable: false })
  const clock = new FakeClock()
  const closed = Promise.withResolvers<string>()
  const state = { taken: 0 }
  async function* frames() {
    for (let at = 0; at < 1000; at++) {
      state.taken++
      yield of(at)
    }
    await closed.promise
  }
  const link: Link = {
    isSkerry,
    cloudEpoch: '',
    closed: closed.promise,
    close: closed.resolve,
    send: async () => undefined,
    frames: { [Symbol.asyncIterator]: frames },
  }
  const ports = { meta: edge.meta, frames: createFrameFactory({ clock, random: countingRandom() }), clock, log }
  const session = new LinkSession({ ...ports, takeTwin: async () => undefined, takeUser }, link)
  const running = session.run()
  await clock.advance(ms(1))
  return { state, clock, session, running, stop: () => edge.stop() }
}

test('answers that nobody waits for are acknowledged to an original cloud at its pace, and not read beyond it', async () => {
  const late = (at: number): Frame => ({
    header: { msg_id: `m${at}`, parent_msg_id: `q${at}`, timestamp: 1 },
    route: { group: 'resource', operation: 'response', resource: 'shop/configmap/a' },
    content: {},
  })
  const { state, clock, session, running, stop } = await bench(late, { isSkerry: false })
  assert.ok(state.taken <= 60 + 128 + 1, `${state.taken} read at once`)
  await clock.advance(ms(30_000))
  assert.ok(state.taken > 900, `${state.taken} read in half a minute`)
  session.close('over')
  await running
  await stop()
})

test('work that hangs does not hold up the end of a link', async () => {
  const said = (at: number): Frame => ({
    header: { msg_id: `m${at}`, timestamp: 1 },
    route: { source: 'router_eventbus', group: 'user', operation: 'publish', resource: 'a/b' },
    content: '',
  })
  const hangs = new Promise<undefined>(() => undefined)
  let begun = 0
  const takeUser = () => {
    begun++
    return hangs
  }
  const { clock, session, running, stop } = await bench(said, { takeUser })
  assert.equal(begun, 128)
  session.close('the cable')
  await clock.advance(ms(1))
  assert.equal(await Promise.race([running, clock.sleep(ms(0)).then(() => 'it still runs')]), 'the cable')
  assert.equal(begun, 128)
  await stop()
})
