import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { crc16, findAnswer, frameOf, hasChecksum } from './rtu-frame.ts'

const read = (unitId: number, start: number, count: number) => frameOf(unitId, Uint8Array.of(3, 0, start, 0, count))
const answer = (unitId: number, words: readonly number[]) =>
  frameOf(unitId, Uint8Array.of(3, words.length * 2, ...words.flatMap((word) => [word >> 8, word & 0xff])))
const words = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 20 })
const noise = fc.uint8Array({ maxLength: 12 })
const join = (...parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]))

describe('RTU frames', () => {
  it('have the checksum of the standard', () => {
    // Modbus over serial line V1.02, 6.2.2: the frame 02 07 ends with 41 12.
    assert.equal(crc16(Uint8Array.of(0x02, 0x07)), 0x1241)
    assert.deepEqual([...frameOf(2, Uint8Array.of(7))], [0x02, 0x07, 0x41, 0x12])
    assert.ok(!hasChecksum(Uint8Array.of(0x02, 0x07, 0x41, 0x13)))
  })

  it('are found whole behind noise, and in whatever pieces they come', () => {
    fc.assert(
      fc.property(words, noise, (list, before) => {
        const request = read(7, 0, list.length)
        const wanted = answer(7, list)
        const all = join(before, wanted)
        for (let length = 0; length < all.length; length++) {
          assert.notEqual(findAnswer(request, all.subarray(0, length))?.kind, 'answer')
        }
        assert.deepEqual(findAnswer(request, all), { kind: 'answer', start: before.length, end: all.length })
      }),
    )
  })

  it('of another unit, another function or another length are no answer', () => {
    const request = read(7, 0, 2)
    for (const other of [
      answer(8, [1, 2]),
      answer(7, [1, 2, 3]),
      answer(7, [1]),
      frameOf(7, Uint8Array.of(4, 4, 0, 1, 0, 2)),
      frameOf(7, Uint8Array.of(0x84, 2)),
    ]) {
      assert.notEqual(findAnswer(request, other)?.kind, 'answer')
      const behind = findAnswer(request, join(other, answer(7, [1, 2])))
      assert.equal(behind?.kind === 'answer' && behind.start, other.length)
    }
  })

  it('with one wrong bit are garbage, at once', () => {
    fc.assert(
      fc.property(words, fc.nat(), (list, bit) => {
        const frame = answer(7, list)
        const at = bit % (frame.length * 8)
        frame[at >> 3] = (frame[at >> 3] ?? 0) ^ (1 << (at & 7))
        assert.notEqual(findAnswer(read(7, 0, list.length), frame)?.kind, 'answer')
      }),
    )
    const broken = answer(7, [1, 2])
    broken[4] = 9
    assert.deepEqual(findAnswer(read(7, 0, 2), broken), { kind: 'garbage' })
  })

  it('that confirm a write repeat it', () => {
    for (const pdu of [
      [5, 0, 1, 0xff, 0],
      [6, 0, 1, 0, 9],
      [15, 0, 1, 0, 3, 1, 7],
      [16, 0, 1, 0, 1, 2, 0, 9],
      [22, 0, 1, 0xff, 0, 0, 1],
    ]) {
      const request = frameOf(1, Uint8Array.from(pdu))
      const confirmed = frameOf(1, Uint8Array.from(pdu.slice(0, pdu[0] === 22 ? 7 : 5)))
      assert.equal(findAnswer(request, confirmed)?.kind, 'answer')
      const other = frameOf(1, Uint8Array.from([...pdu.slice(0, 2), 2, ...pdu.slice(3, pdu[0] === 22 ? 7 : 5)]))
      assert.notEqual(findAnswer(request, other)?.kind, 'answer')
    }
  })

  it('tell an exception, an identification and a server id by their own lengths', () => {
    const exception = frameOf(1, Uint8Array.of(0x83, 2))
    assert.deepEqual(findAnswer(read(1, 0, 125), exception), { kind: 'answer', start: 0, end: 5 })
    const identify = frameOf(1, Uint8Array.of(43, 14, 1, 0))
    const identified = frameOf(1, Uint8Array.of(43, 14, 1, 1, 0, 0, 2, 0, 2, 65, 66, 1, 1, 67))
    assert.deepEqual(findAnswer(identify, identified), { kind: 'answer', start: 0, end: identified.length })
    assert.equal(findAnswer(identify, identified.subarray(0, 9)), undefined)
    const serverId = frameOf(1, Uint8Array.of(17, 3, 9, 0xff, 1))
    assert.equal(findAnswer(frameOf(1, Uint8Array.of(17)), serverId)?.kind, 'answer')
  })
})
