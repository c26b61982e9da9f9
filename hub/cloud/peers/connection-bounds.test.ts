import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectionBounds } from './connection-bounds.ts'

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

test('where there are too many altogether, those go from where most come', () => {
  const { open, destroyed } = bench(10, 5)
  open('early', '192.0.2.1')
  for (const peer of ['a', 'b', 'c', 'd']) open(peer, '192.0.2.66')
  for (const peer of ['late', 'later']) open(peer, '192.0.2.2')
  assert.deepEqual(destroyed, ['a', 'b'])
})
