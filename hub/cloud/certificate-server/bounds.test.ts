import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { ConnectionBounds, networkOf } from './connection-bounds.ts'
import { FailureBounds } from './failure-bounds.ts'

function bench(perAddress: number, altogether: number) {
  const destroyed: string[] = []
  let closed = 0
  const bounds = new ConnectionBounds({ perAddress, altogether, onClosed: () => closed++ })
  const open = (peer: string, address: string) => bounds.opened(peer, address, { destroy: () => destroyed.push(peer) })
  return { bounds, open, destroyed, closed: () => closed }
}

test('who waits longest behind a crowded address is closed, and nobody who has shown who they are', () => {
  const { bounds, open, destroyed, closed } = bench(3, 100)
  for (const peer of ['a', 'b', 'c']) open(peer, '192.0.2.1')
  bounds.settled('a')
  open('d', '192.0.2.1')
  assert.deepEqual(destroyed, [])
  open('e', '192.0.2.1')
  assert.deepEqual([destroyed, closed()], [['b'], 1])
  open('f', '192.0.2.2')
  assert.deepEqual(destroyed, ['b'], 'another address is not its neighbour')
})

test('of slow peers from everywhere the oldest go', () => {
  const { bounds, open, destroyed } = bench(3, 4)
  for (let at = 0; at < 6; at++) open(`p${at}`, `192.0.2.${at}`)
  assert.deepEqual(destroyed, ['p0', 'p1'])
  for (let at = 2; at < 6; at++) bounds.settled(`p${at}`)
  bounds.settled('p5')
  assert.equal(bounds.waiting, 0)
})

test('addresses of one IPv6 site count as one', () => {
  assert.equal(networkOf('2001:db8:0:7::1'), networkOf('2001:db8:0:7:ffff::2'))
  assert.notEqual(networkOf('2001:db8:0:7::1'), networkOf('2001:db8:0:8::1'))
  assert.equal(networkOf('::ffff:192.0.2.1'), '192.0.2.1')
  assert.equal(networkOf('::1'), networkOf('0:0:0:0:0:0:0:1'))
})

test('the first refusals of an address are answered at once, later ones after a second, and of many at once some not at all', async () => {
  const clock = new FakeClock()
  const bounds = new FailureBounds({ clock, atOnce: 2, waiting: 2 })
  const { signal } = new AbortController()
  const ask = (address: string) => bounds.pause(address, signal)
  assert.deepEqual([await ask('192.0.2.1'), await ask('192.0.2.1')], [true, true])
  const answered: boolean[] = []
  const waiting = [ask('192.0.2.1'), ask('192.0.2.1')].map(async (paused) => void answered.push(await paused))
  assert.equal(await ask('192.0.2.1'), false)
  assert.equal(await ask('192.0.2.2'), true)
  await clock.advance(seconds(0.9))
  assert.deepEqual(answered, [])
  await clock.advance(seconds(0.1))
  await Promise.all(waiting)
  assert.deepEqual(answered, [true, true])
  await clock.advance(seconds(60))
  assert.equal(await ask('192.0.2.1'), true, 'a minute later it is forgotten')
})
