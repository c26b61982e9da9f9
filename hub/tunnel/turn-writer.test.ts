import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Sender, TurnWriter } from './turn-writer.ts'

function wire() {
  const written: string[] = []
  const taken: (() => void)[] = []
  const write = (message: Buffer, done: () => void) => {
    written.push(message.toString().slice(0, 1))
    taken.push(done)
  }
  return { write, written, take: () => taken.shift()?.() }
}

/** Has `count` messages of 40,000 bytes that begin with its name. */
function sender(name: string, count: number): Sender {
  let left = count
  return { next: () => (left-- > 0 ? Buffer.alloc(40_000, name) : undefined) }
}

test('streams take turns on a wire that is slow, and what concerns the streams goes first', () => {
  const slow = wire()
  const writer = new TurnWriter(slow, () => assert.fail())
  for (const name of ['a', 'b', 'c']) writer.ready(sender(name, 3))
  assert.deepEqual(slow.written, ['a', 'a'])
  writer.control(Buffer.from('!'))
  for (let turn = 0; turn < 10; turn++) slow.take()
  assert.equal(slow.written.join(''), 'aa!abcbcbc'.slice(0, slow.written.length))
  assert.equal(slow.written.length, 10)
})

test('at most two messages more than 64 KiB allow are under way', () => {
  const slow = wire()
  const writer = new TurnWriter(slow, () => assert.fail())
  writer.ready(sender('a', 100))
  assert.equal(slow.written.length, 2)
  slow.take()
  assert.equal(slow.written.length, 3)
})

test('a peer that makes this end say ever more, and does not read, is noticed', () => {
  let floods = 0
  const writer = new TurnWriter({ write: () => undefined }, () => floods++)
  for (let count = 0; count < 10_000; count++) writer.control(Buffer.alloc(1000))
  assert.ok(floods > 5000)
})

test('a sender that was forgotten is asked no more', () => {
  const slow = wire()
  const writer = new TurnWriter(slow, () => assert.fail())
  const gone = sender('a', 100)
  writer.ready(gone)
  writer.forget(gone)
  slow.take()
  slow.take()
  assert.deepEqual(slow.written, ['a', 'a'])
})
