import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeTunnelFrame, encodeTunnelFrame, FRAME_TYPES, LARGEST_DATA, readUvarint, uvarint } from './frame.ts'

test('H70: a frame is uvarint id, uvarint type and data, as Go writes them', () => {
  const known: readonly (readonly [id: number, type: number, data: string, hex: string])[] = [
    [1, FRAME_TYPES.logs, '', '0100'],
    [7, FRAME_TYPES.data, 'hi', '07036869'],
    [127, FRAME_TYPES.exec, '', '7f01'],
    [128, FRAME_TYPES.metrics, '', '800102'],
    [300, FRAME_TYPES.attach, 'x', 'ac020678'],
    [0, FRAME_TYPES.close, 'bye', '0005627965'],
    [Number.MAX_SAFE_INTEGER, FRAME_TYPES.remove, '', 'ffffffffffffff0f04'],
  ]
  for (const [id, type, data, hex] of known) {
    assert.equal(encodeTunnelFrame(id, type, data).toString('hex'), hex)
    const frame = { id, type, data: Buffer.from(data) }
    assert.deepEqual(decodeTunnelFrame(Buffer.from(hex, 'hex')), { ok: true, frame })
  }
})

test('H70: more than 1 MiB of data is refused, exactly that much is not', () => {
  assert.equal(decodeTunnelFrame(encodeTunnelFrame(1, 3, Buffer.alloc(LARGEST_DATA))).ok, true)
  const decoded = decodeTunnelFrame(encodeTunnelFrame(1, 3, Buffer.alloc(LARGEST_DATA + 1)))
  assert.deepEqual(decoded, { ok: false, reason: 'more than 1 MiB of data' })
})

test('numbers that end too early, never end, or are larger than any id are refused', () => {
  const bad = ['', '80', 'ff', '01', '0180', 'ffffffffffffffffff01', 'ffffffffffffff1f03', '80808080808080808080808001']
  for (const hex of bad) assert.equal(decodeTunnelFrame(Buffer.from(hex, 'hex')).ok, false, hex)
})

test('any frame survives its encoding', () => {
  const number = fc.maxSafeNat()
  fc.assert(
    fc.property(number, number, fc.uint8Array(), (id, type, data) => {
      const decoded = decodeTunnelFrame(encodeTunnelFrame(id, type, data))
      assert.deepEqual(decoded, { ok: true, frame: { id, type, data: Buffer.from(data) } })
      const bytes = uvarint(id)
      assert.deepEqual(readUvarint(bytes, 0), { value: id, end: bytes.length })
    }),
  )
})

test('no bytes at all make the parser fail otherwise than by a reason', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const decoded = decodeTunnelFrame(Buffer.from(bytes))
      assert.equal(typeof decoded.ok, 'boolean')
    }),
  )
})
