import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { test } from 'node:test'
import fc from 'fast-check'
import { minutes, seconds } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import { encodeTunnelFrame, FRAME_TYPES, uvarint } from './frame.ts'
import { StreamTunnel } from './stream-tunnel.ts'
import { type TunnelPairOptions, tunnelPair } from './testing/index.ts'

const never = new AbortController().signal

/** The edge's ends of streams in the order of their opening. */
function pair(given: Partial<TunnelPairOptions> = {}) {
  const ends: Duplex[] = []
  const clock = new FakeClock()
  const made = tunnelPair({ clock, targets: { edged: (stream) => void ends.push(stream) }, ...given })
  const open = async () => {
    const cloud = await made.cloud.open('edged', never)
    const edge = ends.at(-1)
    assert.ok(edge)
    return { cloud, edge }
  }
  return { ...made, clock, ends, open }
}

function closed(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()))
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(setImmediate)
}

test('bytes go both ways in their order, and each direction ends by itself', async () => {
  const { open, cloud, edge, breaches } = pair()
  const stream = await open()
  const [down, up] = [randomBytes(3_000_000), randomBytes(2_000_000)]
  stream.cloud.end(down)
  assert.deepEqual(await buffer(stream.edge), down)
  stream.edge.end(up)
  assert.deepEqual(await buffer(stream.cloud), up)
  await turns(10)
  assert.deepEqual([cloud.size, edge.size], [0, 0])
  assert.deepEqual(breaches, [])
})

test('a reader that stops stops its writer after two windows, and no other stream of the node', async () => {
  const { open, up } = pair({ window: 64 * 1024 })
  const [slow, quick] = [await open(), await open()]
  let written = 0
  const fill = () => {
    while (written < 50_000_000) {
      written += 10_000
      if (!slow.edge.write(Buffer.alloc(10_000))) break
    }
  }
  slow.edge.on('drain', fill)
  fill()
  await turns(200)
  const before = up.bytes
  await turns(200)
  assert.equal(up.bytes, before)
  assert.ok(up.bytes <= 64 * 1024 + 1000, `${up.bytes} bytes went over`)
  assert.ok(written < 130_000, `${written} bytes were taken from the writer`)
  quick.edge.end(Buffer.alloc(1_000_000, 'q'))
  assert.equal((await buffer(quick.cloud)).length, 1_000_000)
  // Read again, it goes on.
  slow.cloud.resume()
  await turns(200)
  assert.ok(written > 1_000_000)
  slow.cloud.destroy()
})

test('what is not served is refused at once, as is one stream too many', async () => {
  const { cloud, open } = pair({ mostStreams: 2 })
  await assert.rejects(cloud.open('servicebus', never), { code: 'HUB_TUNNEL_REFUSED', retry: 'never' })
  await open()
  const second = await open()
  await assert.rejects(cloud.open('edged', never), { code: 'HUB_TUNNEL_BUSY', retry: 'backoff' })
  second.cloud.destroy()
  await open()
})

test('the edge has a bound of its own, which the cloud cannot raise', async () => {
  const { edge, up } = pair({ mostStreams: 3 })
  for (let id = 1; id <= 10; id++) {
    edge.take(encodeTunnelFrame(id, FRAME_TYPES.open, Buffer.concat([uvarint(1000), Buffer.from('edged')])))
  }
  await turns(20)
  assert.equal(edge.size, 3)
  const refused = up.sent.filter((message) => message[1] === FRAME_TYPES.refused)
  assert.equal(refused.length, 7)
  assert.equal(refused[0]?.subarray(2).toString(), 'busy')
})

test('a node that does not answer is given up, also by its caller; a late answer opens nothing', async () => {
  const { cloud, clock, down, edge, ends } = pair()
  down.hold()
  const slow = cloud.open('edged', never)
  const failed = assert.rejects(slow, { code: 'HUB_TUNNEL_SILENT' })
  await clock.advance(seconds(16))
  await failed
  const caller = new AbortController()
  const other = assert.rejects(cloud.open('edged', caller.signal), /enough/)
  await turns(2)
  caller.abort(new Error('enough'))
  await other
  assert.equal(cloud.size, 0)
  down.release()
  await turns(20)
  // The edge opened them, and heard that they are not wanted.
  assert.equal(ends.length, 2)
  assert.equal(edge.size, 0)
})

test('a stream that is destroyed at one end is destroyed at the other, with the reason', async () => {
  const { open } = pair()
  const one = await open()
  one.edge.destroy(new Error('nobody listens there'))
  const [error] = await once(one.cloud, 'error')
  assert.equal(error.code, 'HUB_TUNNEL_CLOSED')
  assert.match(String(error.fields.reason), /nobody listens there/)
  const two = await open()
  const closing = closed(two.edge)
  two.cloud.destroy()
  await closing
})

test('the end of the tunnel destroys all streams and openings, and nothing opens afterwards', async () => {
  const { open, cloud, down } = pair()
  const streams = [await open(), await open()]
  down.hold()
  const opening = cloud.open('edged', never)
  const failed = assert.rejects(opening, { code: 'HUB_TUNNEL_CLOSED' })
  const errors = streams.map(async (stream) => (await once(stream.cloud, 'error'))[0].code)
  await turns(2)
  cloud.end('the node left')
  await failed
  assert.deepEqual(await Promise.all(errors), ['HUB_TUNNEL_CLOSED', 'HUB_TUNNEL_CLOSED'])
  assert.equal(cloud.size, 0)
  await assert.rejects(cloud.open('edged', never), { code: 'HUB_TUNNEL_CLOSED' })
  cloud.take(encodeTunnelFrame(1, FRAME_TYPES.data, 'late'))
})

test('a stream on which nothing moves for four hours is ended, one on which something does is not', async () => {
  const { open, clock } = pair()
  const [forgotten, used] = [await open(), await open()]
  const ended = closed(forgotten.edge)
  used.edge.resume()
  for (let passed = 0; passed < 26; passed++) {
    used.cloud.write('.')
    await clock.advance(minutes(10))
  }
  await ended
  assert.equal(used.cloud.destroyed, false)
  used.cloud.destroy()
})

test('who breaks the rules loses the tunnel: data beyond the credit, or after the end, credit for nothing, ids used again', async () => {
  const opened = Buffer.concat([uvarint(1000), Buffer.from('edged')])
  const breaks: readonly (readonly [type: number, data: Buffer])[] = [
    [FRAME_TYPES.data, Buffer.alloc(2000)],
    [FRAME_TYPES.credit, uvarint(0)],
    [FRAME_TYPES.credit, uvarint(2 ** 40)],
    [FRAME_TYPES.credit, Buffer.alloc(0)],
    [FRAME_TYPES.open, opened],
  ]
  for (const [type, data] of breaks) {
    const { edge, breaches } = pair({ window: 1000 })
    edge.take(encodeTunnelFrame(1, FRAME_TYPES.open, opened))
    edge.take(encodeTunnelFrame(1, type, data))
    assert.equal(breaches.length, 1, `${type}`)
  }
  const { edge, cloud, breaches } = pair()
  edge.take(encodeTunnelFrame(1, FRAME_TYPES.open, opened))
  edge.take(encodeTunnelFrame(1, FRAME_TYPES.end))
  edge.take(encodeTunnelFrame(1, FRAME_TYPES.data, 'x'))
  edge.take(encodeTunnelFrame(2, FRAME_TYPES.open, uvarint(0)))
  cloud.take(encodeTunnelFrame(1, FRAME_TYPES.open, opened))
  edge.take(Buffer.from('ff', 'hex'))
  assert.equal(breaches.length, 4)
})

test('data for streams that are over, and frames of types that nobody knows, are left out', async () => {
  const { open, cloud, edge, breaches } = pair()
  const { cloud: stream } = await open()
  stream.destroy()
  await turns(10)
  for (const type of [3, 4, 33, 34, 35, 36, 99]) {
    edge.take(encodeTunnelFrame(1, type, 'late'))
    cloud.take(encodeTunnelFrame(1, type, 'late'))
    cloud.take(encodeTunnelFrame(2 ** 50, type, 'unknown'))
  }
  assert.deepEqual(breaches, [])
  assert.deepEqual([cloud.size, edge.size], [0, 0])
})

test('whatever bytes come, nothing crashes, and memory stays within the windows of the streams', () => {
  const type = fc.oneof(fc.constantFrom(...Object.values(FRAME_TYPES)), fc.nat(200))
  const data = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.maxSafeNat().map(uvarint),
    fc.nat(3000).map((size) => Buffer.concat([uvarint(size), Buffer.from('edged')])),
  )
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.nat(6), type, data).map(([id, kind, bytes]) => encodeTunnelFrame(id, kind, bytes)),
  )
  fc.assert(
    fc.property(fc.array(message, { maxLength: 60 }), fc.boolean(), (messages, isCloud) => {
      let waiting = 0
      const wire = { write: (_message: Buffer, taken: () => void) => taken() }
      const streams: Duplex[] = []
      const options = { wire, clock: new FakeClock(), window: 1000, mostStreams: 4 }
      const end: StreamTunnel = new StreamTunnel({
        ...options,
        onBreach: (reason) => end.end(reason),
        ...(isCloud ? {} : { accept: (target, open) => target === 'edged' && streams.push(open()) > 0 }),
      })
      if (isCloud)
        for (let count = 0; count < 3; count++)
          end.open('edged', never).then(
            (each) => streams.push(each),
            () => undefined,
          )
      for (const each of messages) end.take(each)
      for (const stream of streams) waiting += stream.readableLength
      assert.ok(end.size <= 4)
      assert.ok(waiting <= 4 * 1000)
      end.end('over')
    }),
  )
})

test('text that was written before the end is read before it', async () => {
  const { open } = pair({ window: 10 })
  const { cloud, edge } = await open()
  edge.end('more than the window takes at once, in many turns')
  assert.equal(await text(cloud), 'more than the window takes at once, in many turns')
})
