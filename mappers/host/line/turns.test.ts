import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Peer } from './peer.ts'
import { Turns } from './turns.ts'

/** Serves these peers on a line that is always busy; `costOf` a call. Says who had the turns. */
function serve(count: number, turns: number, costOf: (peer: Peer, turn: number) => number): readonly Peer[] {
  const queue = new Turns()
  for (let index = 0; index < count; index++) queue.add(new Peer(String(index)))
  return Array.from({ length: turns }, (_, turn) => {
    const peer = queue.next()
    assert.ok(peer)
    queue.charge(peer, costOf(peer, turn))
    queue.add(peer)
    return peer
  })
}

test('peers share the time of a busy line, not its calls', () => {
  const cost = (peer: Peer) => (peer.key === '0' ? 100 : 10)
  const turns = serve(10, 10_000, cost)
  const timeOf = (key: string) => turns.filter((peer) => peer.key === key).length * cost(new Peer(key))
  const [slow, quick] = [timeOf('0'), timeOf('1')]
  assert.ok(Math.abs(slow - quick) < quick * 0.1, `${slow} ms and ${quick} ms`)
})

test('a single late answer does not keep its peer waiting for long', () => {
  const turns = serve(200, 40_000, (peer, turn) => (peer.key === '7' && turn < 2000 && turn >= 1000 ? 100 : 1))
  const own = turns.flatMap((peer, turn) => (peer.key === '7' ? [turn] : []))
  const longest = Math.max(...own.map((turn, index) => turn - (own[index - 1] ?? 0)))
  assert.ok(longest > 200 && longest < 200 * 20, `${longest} turns of others between two of its own`)
})
