import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { Handshakes } from './handshakes.ts'

function bench(atOnce: number) {
  const clock = new FakeClock()
  const begun: string[] = []
  const destroyed: string[] = []
  const handshakes = new Handshakes({ atOnce, patience: seconds(3), clock, onClosed: () => undefined })
  const enter = (peer: string, address = '192.0.2.1') =>
    handshakes.enter(
      { peer, connection: { destroy: () => destroyed.push(peer) }, begin: () => begun.push(peer) },
      address,
    )
  return { clock, handshakes, enter, begun, destroyed }
}

test('no more handshakes begin than may be under way, and the next one when one is through', () => {
  const { handshakes, enter, begun } = bench(2)
  for (const peer of ['a', 'b', 'c', 'd']) enter(peer)
  assert.deepEqual(begun, ['a', 'b'])
  handshakes.settled('b')
  assert.deepEqual(begun, ['a', 'b', 'c'])
  // It left before its turn.
  handshakes.settled('d')
  handshakes.settled('a')
  handshakes.settled('c')
  assert.deepEqual([begun, handshakes.underWay], [['a', 'b', 'c'], 0])
})

test('one address with many connections does not keep another one waiting for all of them', () => {
  const { handshakes, enter, begun } = bench(1)
  for (const peer of ['a', 'b', 'c', 'd']) enter(peer, '192.0.2.66')
  enter('node', '192.0.2.2')
  handshakes.settled('a')
  handshakes.settled('b')
  assert.deepEqual(begun, ['a', 'b', 'node'])
})

test('who says nothing holds a place for three seconds where others wait, and as long as it likes where nobody does', async () => {
  const { clock, enter, begun, destroyed } = bench(2)
  for (const peer of ['silent', 'slow']) enter(peer)
  await clock.advance(seconds(2))
  assert.deepEqual(destroyed, [])
  enter('node')
  await clock.advance(seconds(0.9))
  assert.deepEqual([begun, destroyed], [['silent', 'slow'], []])
  await clock.advance(seconds(0.1))
  assert.deepEqual([begun, destroyed], [['silent', 'slow', 'node'], ['silent']])
  await clock.advance(seconds(60))
  assert.deepEqual(destroyed, ['silent'])
  assert.equal(clock.waiting, 0)
})
