import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDeflate, constants as zlib } from 'node:zlib'
import fc from 'fast-check'
import { HEADER_DICTIONARY, HEADER_DICTIONARY_ID } from './dictionary.ts'
import {
  encodeData,
  encodeGoaway,
  encodeOpen,
  encodePing,
  encodeReset,
  type Frame,
  FrameError,
  FrameReader,
} from './frames.ts'
import { HeaderReader, HeaderWriter, parsePlainBlock } from './headers.ts'

test('the dictionary is that of SPDY/3', () => {
  // Its length and Adler-32 as every implementation writes them into the first header block.
  assert.deepEqual([HEADER_DICTIONARY.length, HEADER_DICTIONARY_ID.toString(16)], [1423, 'e3c6a7c2'])
})

const frame = fc.oneof(
  fc.record({
    type: fc.constant('data' as const),
    stream: fc.integer({ min: 1, max: 0x7fffffff }),
    isLast: fc.boolean(),
    data: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.record({
    type: fc.constant('reset' as const),
    stream: fc.integer({ min: 1, max: 0x7fffffff }),
    status: fc.integer({ min: 1, max: 11 }),
  }),
  fc.record({ type: fc.constant('ping' as const), id: fc.integer({ min: 1, max: 0xffffffff }) }),
  fc.record({
    type: fc.constant('goaway' as const),
    lastStream: fc.integer({ min: 0, max: 0x7fffffff }),
    status: fc.integer({ min: 0, max: 2 }),
  }),
)

test('frames come out as they went in, however the bytes are cut', () => {
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 40 })), (made, cuts) => {
      const frames = made.map((each) => ({ ...each }))
      const bytes = Buffer.concat(frames.map(encode))
      assert.deepEqual(joined(readAll(bytes, cuts)), joined(frames))
    }),
  )
})

test('whatever comes is read, or ends the connection, and no more than one control frame is held', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 })), (chunks) => {
      const reader = new FrameReader()
      try {
        for (const chunk of chunks) for (const _ of reader.read(Buffer.from(chunk)));
      } catch (error) {
        assert.ok(error instanceof FrameError)
      }
    }),
  )
  const large = Buffer.from([0x80, 3, 0, 1, 0, 1, 0, 1])
  assert.throws(() => [...new FrameReader().read(large)], FrameError)
})

test('a data frame of any length is handed on as it comes', () => {
  const reader = new FrameReader()
  const head = Buffer.from([0, 0, 0, 1, 1, 0xff, 0xff, 0xff])
  assert.deepEqual([...reader.read(head)], [])
  const [piece] = [...reader.read(Buffer.alloc(1000))]
  assert.ok(piece?.type === 'data' && piece.data.length === 1000 && !piece.isLast)
})

const headers = fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,20}$/), fc.string({ maxLength: 60 }), {
  maxKeys: 12,
  noNullPrototype: true,
})

test('header blocks are read one after the other, stored or compressed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(headers, { minLength: 1, maxLength: 5 }), async (blocks) => {
      using stored = new HeaderReader()
      const writer = new HeaderWriter()
      using compressed = new HeaderReader()
      const deflate = createDeflate({ dictionary: HEADER_DICTIONARY })
      for (const block of blocks) {
        const written = writer.write(block)
        assert.deepEqual({ ...(await stored.read(written)) }, block)
        const squeezed = await squeeze(deflate, plainOf(written))
        assert.deepEqual({ ...(await compressed.read(squeezed)) }, block)
      }
      deflate.destroy()
    }),
    { numRuns: 30 },
  )
})

test('a header block that is no block, too long or not compressed ends the connection', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
      using reader = new HeaderReader()
      await assert.rejects(reader.read(Buffer.from(bytes)), FrameError)
    }),
    { numRuns: 50 },
  )
  const deflate = createDeflate({ dictionary: HEADER_DICTIONARY })
  const bomb = await squeeze(deflate, Buffer.alloc(4 << 20))
  deflate.destroy()
  assert.ok(bomb.length < 10_000)
  using reader = new HeaderReader()
  await assert.rejects(reader.read(bomb), FrameError)
  assert.throws(() => parsePlainBlock(Buffer.from([0, 0, 0, 200])), FrameError)
})

function encode(each: Frame): Buffer {
  switch (each.type) {
    case 'data':
      return encodeData(each.stream, each.data, each.isLast)
    case 'reset':
      return encodeReset(each.stream, each.status)
    case 'ping':
      return encodePing(each.id)
    case 'goaway':
      return encodeGoaway(each.lastStream, each.status)
    default:
      return encodeOpen(each.stream, each.block)
  }
}

function readAll(bytes: Buffer, cuts: readonly number[]): Frame[] {
  const reader = new FrameReader()
  const frames: Frame[] = []
  let rest = bytes
  for (const cut of cuts) {
    frames.push(...reader.read(rest.subarray(0, cut)))
    rest = rest.subarray(cut)
  }
  frames.push(...reader.read(rest))
  return frames
}

/** Pieces of the same data frame are one again. */
function joined(frames: readonly Frame[]): readonly unknown[] {
  const all: unknown[] = []
  let open: { stream: number; data: Buffer } | undefined
  for (const each of frames) {
    if (each.type !== 'data') {
      all.push(each)
      open = undefined
      continue
    }
    if (open?.stream === each.stream) open.data = Buffer.concat([open.data, each.data])
    else {
      open = { stream: each.stream, data: each.data }
      all.push(open)
    }
    if (each.isLast) {
      all.push(`end of ${each.stream}`)
      open = undefined
    }
  }
  return all
}

/** The block without its form: behind the head of zlib, if there is one, and that of the stored part. */
function plainOf(written: Buffer): Buffer {
  const from = written[0] === 0x78 ? 11 : 5
  return written.subarray(from, -5)
}

function squeeze(deflate: ReturnType<typeof createDeflate>, plain: Buffer): Promise<Buffer> {
  const pieces: Buffer[] = []
  const onData = (piece: Buffer) => pieces.push(piece)
  deflate.on('data', onData)
  return new Promise((resolve) => {
    deflate.write(plain)
    deflate.flush(zlib.Z_SYNC_FLUSH, () => {
      deflate.off('data', onData)
      resolve(Buffer.concat(pieces))
    })
  })
}
