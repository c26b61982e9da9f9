import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createPacketScanner } from './packet-scanner.ts'

test('packets up to the limit pass in any cutting, larger ones never', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(400), { minLength: 1, maxLength: 8 }),
      fc.integer({ min: 1, max: 99 }),
      (sizes, cut) => {
        const scan = createPacketScanner(300)
        const stream = Buffer.concat(sizes.map(packet))
        let passed = true
        for (let at = 0; at < stream.length; at += cut) passed &&= scan(stream.subarray(at, at + cut))
        assert.equal(
          passed,
          sizes.every((size) => size <= 300),
        )
      },
    ),
  )
})

test('a length that never ends is refused', () => {
  assert.equal(createPacketScanner(2 ** 31)(new Uint8Array([48, 255, 255, 255, 255, 255])), false)
})

function packet(size: number): Buffer {
  const length = size < 128 ? [size] : [(size & 127) | 128, size >> 7]
  return Buffer.concat([Buffer.from([48, ...length]), Buffer.alloc(size, 255)])
}
