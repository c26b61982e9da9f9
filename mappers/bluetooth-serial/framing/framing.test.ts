import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Value } from 'typebox/value'
import { CHECKSUMS, type ChecksumKind, checksum } from './checksum.ts'
import { encodeFrame } from './content.ts'
import { FrameDecoder } from './frame-decoder.ts'
import { type FrameRules, Framing, frameRules } from './framing.ts'

function rulesOf(input: object): FrameRules {
  const framing: unknown = Value.Default(Framing, input)
  assert.ok(Value.Check(Framing, framing))
  const rules = frameRules(framing)
  assert.ok('kind' in rules, JSON.stringify(rules))
  return rules
}

const hex = (text: string) => Buffer.from(text, 'hex')

/** Framings that find the next frame after any garbage, and payloads that they can carry. */
const FRAMINGS: Readonly<Record<string, { readonly rules: FrameRules; readonly payload: fc.Arbitrary<Uint8Array> }>> = {
  lines: { rules: rulesOf({ end: '\\r\\n' }), payload: text() },
  nmea: {
    rules: rulesOf({
      kind: 'markers',
      start: '$',
      end: '\\r\\n',
      checksum: { kind: 'xor8', format: 'hex', before: '*' },
    }),
    payload: text(),
  },
  hdlc: {
    rules: rulesOf({
      kind: 'markers',
      start: '\\x7e',
      end: '\\x7e',
      stuffing: 'xor',
      checksum: { kind: 'crc16-ccitt' },
    }),
    payload: bytes(),
  },
  stxEtx: {
    rules: rulesOf({
      kind: 'markers',
      start: '\\x02',
      end: '\\x03',
      stuffing: 'xor',
      escape: '\\x10',
      checksum: { kind: 'lrc' },
    }),
    payload: bytes(),
  },
  slip: { rules: rulesOf({ kind: 'markers', stuffing: 'slip', checksum: { kind: 'crc32' } }), payload: bytes() },
  length: {
    rules: rulesOf({
      kind: 'length',
      start: 'hex:aa55',
      lengthBytes: 2,
      maxLength: 64,
      checksum: { kind: 'crc16-modbus' },
    }),
    payload: bytes().map((tail) => Buffer.concat([Buffer.alloc(2), tail])),
  },
  fixed: {
    rules: rulesOf({ kind: 'fixed', start: '\\x02', length: 8, checksum: { kind: 'crc32', coversStart: true } }),
    payload: fc.uint8Array({ minLength: 4, maxLength: 4 }),
  },
}

function text(): fc.Arbitrary<Uint8Array> {
  return fc.stringMatching(/^[A-Z0-9,.;]{1,20}$/).map((each) => Buffer.from(each))
}
function bytes(): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: 1, maxLength: 20 })
}

function chunked(stream: Buffer, cuts: readonly number[], rules: FrameRules): readonly string[] {
  const decoder = new FrameDecoder(rules)
  const found: Buffer[] = []
  let at = 0
  for (const cut of cuts) {
    found.push(...decoder.push(stream.subarray(at, at + cut)))
    at += cut
  }
  found.push(...decoder.push(stream.subarray(at)))
  return found.map((each) => each.toString('hex'))
}

for (const [name, { rules, payload }] of Object.entries(FRAMINGS)) {
  describe(`frames in ${name}`, () => {
    it('come out as they went in, however the stream is cut', () => {
      fc.assert(
        fc.property(fc.array(payload, { maxLength: 6 }), fc.array(fc.nat(9), { maxLength: 60 }), (payloads, cuts) => {
          const frames = payloads.map((each) => encodeFrame(each, rules))
          // The length stands where the sender left room for it.
          const wanted = frames.map((frame) => chunked(frame, [], rules)[0])
          const found = chunked(Buffer.concat(frames), cuts, rules)
          assert.deepEqual(found, wanted)
          for (const [index, each] of payloads.entries()) {
            const skip = rules.kind === 'length' ? 4 : 0
            assert.equal(found[index]?.slice(skip), Buffer.from(each).toString('hex').slice(skip))
          }
        }),
      )
    })

    it('are the same for every way to cut any stream at all', () => {
      const piece = fc.oneof(
        fc.uint8Array({ maxLength: 12 }),
        payload.map((each) => encodeFrame(each, rules)),
        fc.constantFrom(rules.start, rules.end, Buffer.from([rules.escape])),
      )
      fc.assert(
        fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(7), { maxLength: 80 }), (pieces, cuts) => {
          const stream = Buffer.concat(pieces)
          assert.deepEqual(chunked(stream, cuts, rules), chunked(stream, [], rules))
        }),
      )
    })

    it('are found again behind garbage', () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), payload, (garbage, each) => {
          // A frame that garbage has begun may take the next one with it; the one after that has to be found.
          const frame = encodeFrame(each, rules)
          const filler = Buffer.concat(Array.from({ length: 12 }, () => frame))
          const found = chunked(Buffer.concat([garbage, filler]), [3, 5, 1], rules)
          assert.ok(found.length >= 1)
          assert.equal(found.at(-1), chunked(frame, [], rules)[0])
        }),
      )
    })

    it('never make it keep more than one frame', () => {
      const decoder = new FrameDecoder(rules)
      for (let index = 0; index < 200; index++)
        decoder.push(Buffer.alloc(1000, index % 2 ? 0x41 : (rules.start[0] ?? 1)))
      assert.ok(decoder.counts.badFrames + decoder.counts.skippedBytes > 0)
    })
  })
}

describe('framing', () => {
  it('drops a frame with a wrong checksum, counts it, and takes the next', () => {
    const { rules } = FRAMINGS['nmea'] ?? assert.fail()
    const decoder = new FrameDecoder(rules)
    const good = '$GPGLL,5300.97914,N,00259.98174,E,125926,A*28\r\n'
    const found = decoder.push(Buffer.from(good.replace('*28', '*29') + good))
    assert.deepEqual(found.map(String), ['GPGLL,5300.97914,N,00259.98174,E,125926,A'])
    assert.deepEqual([decoder.counts.frames, decoder.counts.badFrames], [1, 1])
  })

  it('drops a line that is too long and finds the one behind it', () => {
    const decoder = new FrameDecoder(rulesOf({ maxLength: 5 }))
    assert.deepEqual(decoder.push(Buffer.from('123456\nabc\n')).map(String), ['abc'])
    for (const letter of '1234567890') assert.deepEqual(decoder.push(Buffer.from(letter)), [])
    assert.deepEqual(decoder.push(Buffer.from('\nok\n')).map(String), ['ok'])
  })

  it('costs no more than its length where garbage looks like the beginning of frames all the time', () => {
    const length = 1000
    const garbage = Buffer.alloc(200_000, 0x02)
    for (const rules of [
      rulesOf({ kind: 'fixed', start: '\\x02', length, checksum: { kind: 'crc32' } }),
      rulesOf({ kind: 'markers', start: '\\x02', end: '\\n', maxLength: length, checksum: { kind: 'crc32' } }),
    ]) {
      const decoder = new FrameDecoder(rules)
      assert.deepEqual(decoder.push(garbage), [])
      // Each bad frame is a look at all of its bytes.
      const looked = decoder.counts.badFrames * length
      assert.ok(looked < 1_048_576 + 66 * garbage.length, String(looked))
      const frame = encodeFrame(Buffer.alloc(rules.kind === 'fixed' ? length - 4 : 10, 0x41), rules)
      const found = decoder.push(Buffer.concat([Buffer.alloc(2 * length), frame, frame, frame]))
      assert.ok(found.length > 0, 'finds frames again')
    }
  })

  it('ends a frame at a pause where the framing says so, and drops a begun one elsewhere', () => {
    const silence = new FrameDecoder(rulesOf({ kind: 'silence', maxLength: 4 }))
    assert.deepEqual(silence.push(Buffer.from('abc')), [])
    assert.deepEqual(silence.pause().map(String), ['abc'])
    silence.push(Buffer.from('too long'))
    assert.deepEqual(silence.pause(), [])
    const fixed = new FrameDecoder(rulesOf({ kind: 'fixed', length: 3, silence: 5 }))
    fixed.push(Buffer.from('ab'))
    assert.deepEqual(fixed.pause(), [])
    assert.deepEqual(fixed.push(Buffer.from('xyz')).map(String), ['xyz'])
  })

  it('takes any rule for what a length counts', () => {
    for (const [lengthAdds, expected] of [
      [undefined, '0261420d'],
      [0, '0461420d'],
      [-1, '0561420d'],
    ] as const) {
      const rules = rulesOf({
        kind: 'length',
        ...(lengthAdds === undefined ? {} : { lengthAdds }),
        checksum: { kind: 'xor8' },
      })
      const frame = encodeFrame(hex('006142'), rules)
      assert.equal(frame.subarray(1, 3).toString('hex'), '6142')
      assert.equal(frame[0], lengthAdds === undefined ? 3 : 4 - lengthAdds, expected)
      assert.equal(new FrameDecoder(rules).push(frame).length, 1)
    }
  })

  it('has the checksums that others publish', () => {
    const nine = Buffer.from('123456789')
    const wanted: Readonly<Record<ChecksumKind, number>> = {
      sum8: 0xdd,
      xor8: 0x31,
      lrc: 0x23,
      crc8: 0xf4,
      'crc16-modbus': 0x4b37,
      'crc16-ccitt': 0x29b1,
      'crc16-xmodem': 0x31c3,
      crc32: 0xcbf43926,
    }
    for (const kind of CHECKSUMS) assert.equal(checksum(kind, nine), wanted[kind], kind)
  })

  it('refuses what cannot be framed, with a pointer', () => {
    const refused = (input: object) => {
      const framing: unknown = Value.Default(Framing, input)
      assert.ok(Value.Check(Framing, framing))
      const found = frameRules(framing)
      return 'kind' in found ? [] : found.map(({ pointer }) => pointer)
    }
    assert.deepEqual(refused({ kind: 'markers' }), ['/start'])
    assert.deepEqual(refused({ kind: 'fixed' }), ['/length'])
    assert.deepEqual(refused({ end: 'hex:0' }), ['/end', '/end'])
    assert.deepEqual(refused({ stuffing: 'xor' }), ['/stuffing', '/stuffing'])
    assert.deepEqual(refused({ kind: 'fixed', length: 4, checksum: { kind: 'crc32' } }), ['/length'])
    assert.throws(() => encodeFrame(Buffer.alloc(2000), rulesOf({})), /longer than maxLength/)
  })
})
