import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seconds } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import type { Frame } from '../../schemas/index.ts'
import { decodeFrame } from './frame-codec.ts'
import { WebSocketWriter } from './websocket-writer.ts'

function start() {
  const clock = new FakeClock()
  const written: { readonly bytes: Buffer; readonly isLast: boolean; readonly take: (error?: Error) => void }[] = []
  const wire: string[] = []
  let isStalled = false
  const socket = {
    readyState: 1,
    OPEN: 1,
    send(data: string | Buffer, { fin }: { fin: boolean }, take: (error?: Error) => void) {
      wire.push('frame')
      written.push({ bytes: Buffer.from(data), isLast: fin, take })
    },
  }
  const writer = new WebSocketWriter(socket, {
    clock,
    stalledAfter: seconds(15),
    onStalled: () => {
      isStalled = true
    },
    wire: {
      cork: () => void wire.push('cork'),
      uncork: () => void wire.push('uncork'),
    },
  })
  return { clock, written, socket, writer, wire, isStalled: () => isStalled }
}

const frame = (id: string, content = ''): Frame => ({ header: { msg_id: id, timestamp: 1 }, route: {}, content })
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('a large frame goes in parts, and what is sent meanwhile comes whole behind it', async () => {
  const { written, writer } = start()
  const done: string[] = []
  // Letters of two and three bytes are cut where the part ends, not where the letter does.
  const content = 'äö€'.repeat(30_000)
  for (const [id, text] of Object.entries({ a: 'small', b: content, c: 'small' })) {
    void writer.send(frame(id, text)).then(() => done.push(id))
  }
  for (let at = 0; at < written.length; at++) {
    written[at]?.take()
    await turn()
  }
  assert.deepEqual(done, ['a', 'b', 'c'])
  assert.deepEqual(
    written.map(({ isLast }) => isLast),
    [true, false, false, false, true, true],
  )
  const whole = decodeFrame(Buffer.concat(written.slice(1, 5).map(({ bytes }) => bytes)).toString())
  assert.ok(whole.ok && whole.frame.content === content)
})

test('frames of one turn go to the connection in one piece, and none waits for a later turn', async () => {
  const { wire, writer } = start()
  for (const id of ['a', 'b', 'c']) void writer.send(frame(id))
  await turn()
  void writer.send(frame('d'))
  await turn()
  await turn()
  assert.deepEqual(wire, ['cork', 'frame', 'frame', 'frame', 'uncork', 'cork', 'frame', 'uncork'])
})

test('a link that is slow and moves is waited for as long as it takes', async () => {
  const { clock, written, writer, isStalled } = start()
  const sending = writer.send(frame('a', 'x'.repeat(1_000_000)))
  for (let at = 0; at < written.length; at++) {
    await clock.advance(seconds(14))
    written[at]?.take()
    await turn()
  }
  await sending
  assert.deepEqual([written.length, isStalled()], [16, false])
  await clock.advance(seconds(100))
  assert.deepEqual([isStalled(), clock.waiting], [false, 0])
})

test('a socket that takes nothing for 15 s is given up', async () => {
  const { clock, written, writer, isStalled } = start()
  const sends = [writer.send(frame('a')), writer.send(frame('b'))]
  await clock.advance(seconds(10))
  written[0]?.take()
  await clock.advance(seconds(14))
  assert.equal(isStalled(), false)
  await clock.advance(seconds(2))
  assert.equal(isStalled(), true)
  written[1]?.take(new Error('reset'))
  assert.equal((await Promise.allSettled(sends))[1]?.status, 'rejected')
})

test('nothing is written to a socket that is closed, and what waited behind a large frame is told so', async () => {
  const { written, socket, writer } = start()
  const large = writer.send(frame('a', 'x'.repeat(200_000)))
  const behind = writer.send(frame('b'))
  const refused = [
    assert.rejects(large, { code: 'HUB_LINK_CLOSED' }),
    assert.rejects(behind, { code: 'HUB_LINK_CLOSED' }),
  ]
  socket.readyState = 3
  writer[Symbol.dispose]()
  written[0]?.take()
  await Promise.all(refused)
  await assert.rejects(writer.send(frame('c')), { code: 'HUB_LINK_CLOSED' })
  assert.equal(written.length, 1)
})
