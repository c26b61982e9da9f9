import assert from 'node:assert/strict'
import { type Duplex, duplexPair } from 'node:stream'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import fc from 'fast-check'
import { seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { SpdyConnection, type SpdyOptions } from './connection.ts'
import { encodeData, encodeGoaway, encodeOpen, encodePing, encodeReset, type Frame, FrameReader } from './frames.ts'
import { HeaderWriter } from './headers.ts'
import type { SpdyStream } from './stream.ts'

const signal = new AbortController().signal
const NONE = Buffer.alloc(0)

test('streams go both ways, end each direction by itself, and are forgotten', async () => {
  const taken: SpdyStream[] = []
  const { client, server } = pair({
    onStream: (stream) => {
      taken.push(stream)
      stream.pipe(stream)
      return true
    },
  })
  const streams = await Promise.all(['a', 'b', 'c'].map((name) => client.open({ name }, signal)))
  const said = streams.map((stream, index) => {
    stream.end(`${index}`.repeat(100_000))
    return text(stream)
  })
  assert.deepEqual(
    (await Promise.all(said)).map((each) => [each.length, each[0]]),
    [
      [100_000, '0'],
      [100_000, '1'],
      [100_000, '2'],
    ],
  )
  assert.deepEqual(
    taken.map(({ headers }) => headers['name']),
    ['a', 'b', 'c'],
  )
  assert.equal(client.streams, 0)
  assert.equal(server.streams, 0)
})

test('what a peer does not take, or too many of, is refused, and the others go on', async () => {
  const { client } = pair({ mostStreams: 3, onStream: ({ headers }) => headers['name'] !== 'bad' })
  const good = await client.open({ name: 'good' }, signal)
  await assert.rejects(client.open({ name: 'bad' }, signal), { code: 'HUB_STREAM_RESET' })
  await client.open({ name: 'good' }, signal)
  await client.open({ name: 'good' }, signal)
  await assert.rejects(client.open({ name: 'good' }, signal), { code: 'HUB_STREAM_TOO_MANY' })
  assert.equal(good.destroyed, false)
})

test('a peer that does not answer to a new stream is silent', async () => {
  const clock = new FakeClock()
  const [wire] = duplexPair()
  const client = new SpdyConnection(wire, NONE, { role: 'client', clock })
  const opening = assert.rejects(client.open({}, signal), { code: 'HUB_STREAM_SILENT' })
  await clock.advance(seconds(31))
  await opening
})

test('what was sent before a reset or a goodbye is still read, and the end of it is an end', async () => {
  for (const end of [
    (stream: number) => [encodeReset(stream, 5)],
    () => [encodeGoaway(0, 0)],
    (stream: number) => [encodeData(stream, NONE, true)],
  ]) {
    const { client, wire } = raw()
    const opening = client.open({}, signal)
    wire.write(encodeReplyOf(1))
    const stream = await opening
    wire.write(encodeData(1, Buffer.from('last words'), false))
    for (const frame of end(1)) wire.write(frame)
    wire.end()
    assert.equal(await text(stream), 'last words')
  }
})

test('a connection that breaks without a goodbye breaks its streams', async () => {
  const { client, wire } = raw()
  const opening = client.open({}, signal)
  wire.write(encodeReplyOf(1))
  const stream = await opening
  wire.end()
  await assert.rejects(text(stream), { code: 'HUB_STREAM_CUT_OFF' })
  await assert.rejects(client.open({}, signal), { code: 'HUB_STREAM_CUT_OFF' })
})

test('pings are answered, settings and windows passed over', async () => {
  const { wire, heard } = raw()
  // SETTINGS with no entries, WINDOW_UPDATE of stream 1.
  wire.write(Buffer.from([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0]))
  wire.write(Buffer.from([0x80, 3, 0, 9, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 1, 0]))
  wire.write(encodePing(2))
  wire.write(encodePing(7))
  wire.write(encodePing(4))
  assert.deepEqual(await heard(2), [
    { type: 'ping', id: 2 },
    { type: 'ping', id: 4 },
  ])
})

test('a peer that asks for ever and reads nothing is cut off', async () => {
  const { client, wire } = raw({ mostUnsent: 64 * 1024 })
  const flood = Buffer.concat(Array.from({ length: 5000 }, () => encodePing(2)))
  let isOver = false
  void client.closed.then(() => {
    isOver = true
  })
  while (!isOver) {
    wire.write(flood)
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.equal(client.streams, 0)
})

test('streams that a server opens are refused, ids that do not grow end the connection', async () => {
  const { client, wire, heard } = raw()
  const writer = new HeaderWriter()
  wire.write(encodeOpen(2, writer.write({})))
  assert.deepEqual(await heard(1), [{ type: 'reset', stream: 2, status: 3 }])
  wire.write(encodeOpen(2, writer.write({})))
  await client.closed
})

test('whatever a peer sends, the connection ends or goes on, and nothing is left of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), async (chunks) => {
      const { client, wire } = raw()
      for (const chunk of chunks) wire.write(Buffer.from(chunk))
      wire.end()
      await client.closed
      assert.equal(client.streams, 0)
    }),
    { numRuns: 100 },
  )
})

function pair(options: Partial<SpdyOptions>) {
  const [one, other] = duplexPair()
  const server = new SpdyConnection(other, NONE, { role: 'server', clock: systemClock, ...options })
  const client = new SpdyConnection(one, NONE, {
    ...{ role: 'client', clock: systemClock },
    ...(options.mostStreams === undefined ? {} : { mostStreams: options.mostStreams }),
  })
  return { client, server }
}

/** A client, and the bare other end. */
function raw(options: Partial<SpdyOptions> = {}) {
  const [one, wire] = duplexPair()
  const client = new SpdyConnection(one, NONE, { role: 'client', clock: systemClock, ...options })
  return { client, wire, heard: (count: number) => framesOf(wire, count) }
}

function encodeReplyOf(stream: number): Buffer {
  const frame = encodeOpen(stream, new HeaderWriter().write({}))
  // A reply has neither an associated stream nor a priority.
  const body = Buffer.concat([frame.subarray(8, 12), frame.subarray(18)])
  const head = Buffer.from([0x80, 3, 0, 2, 0, 0, 0, body.length])
  return Buffer.concat([head, body])
}

function framesOf(wire: Duplex, count: number): Promise<readonly Frame[]> {
  const reader = new FrameReader()
  const frames: Frame[] = []
  return new Promise((resolve) => {
    wire.on('data', (chunk: Buffer) => {
      frames.push(...reader.read(chunk))
      if (frames.length >= count) resolve(frames.slice(0, count))
    })
  })
}
