import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { StatusError } from '../../kube/status.ts'
import { BodyRoom } from './body-room.ts'

const LARGEST = 1_000_000
const isRefused = (error: unknown) => error instanceof StatusError && error.status.code === 429

describe('bodies that are read at the same time', () => {
  it('are refused beyond what there is room for, and read again when others are done', async () => {
    const room = new BodyRoom(LARGEST, 2 * LARGEST)
    const held = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    const large = { 'content-length': String(LARGEST) }
    const reading = held.map(({ promise }) => room.read(large, () => promise))
    await assert.rejects(
      room.read(large, async () => 'never'),
      isRefused,
    )
    held[0]?.resolve('read')
    assert.equal(await reading[0], 'read')
    assert.equal(await room.read(large, async () => 'next'), 'next')
    held[1]?.reject(new Error('the client left'))
    await assert.rejects(async () => await reading[1], /the client left/)
    assert.deepEqual(await Promise.all([large, large].map((each) => room.read(each, async () => 1))), [1, 1])
  })

  it('count as the largest where nobody says how long they are, and small ones are always read', async () => {
    const room = new BodyRoom(LARGEST, LARGEST)
    const held = Promise.withResolvers<string>()
    const reading = room.read({ 'transfer-encoding': 'chunked' }, () => held.promise)
    await assert.rejects(
      room.read({ 'transfer-encoding': 'chunked' }, async () => ''),
      isRefused,
    )
    assert.equal(await room.read({ 'content-length': '1000' }, async () => 'small'), 'small')
    assert.equal(await room.read({}, async () => 'none'), 'none')
    held.resolve('read')
    assert.equal(await reading, 'read')
  })
})
