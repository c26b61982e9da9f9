import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { seconds } from '../../platform/time/index.ts'
import { FakeClock } from '../../platform/time/testing/index.ts'
import { encodeTunnelFrame, FRAME_TYPES } from './frame.ts'
import { TunnelSocket, type TunnelSocketOptions } from './tunnel-socket.ts'

/** One end is ours, the other a bare WebSocket. */
async function start(t: TestContext, given: Partial<TunnelSocketOptions> = {}) {
  const clock = new FakeClock()
  const server: Server = createServer()
  const upgrades = new WebSocketServer({ server, autoPong: false })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const at = server.address()
  assert.ok(at !== null && typeof at === 'object')
  const connected = once(upgrades, 'connection')
  const socket = new WebSocket(`ws://127.0.0.1:${at.port}`, { autoPong: false, perMessageDeflate: false })
  await once(socket, 'open')
  const [peer]: WebSocket[] = await connected
  assert.ok(peer)
  const messages: Buffer[] = []
  const ours = new TunnelSocket(socket, {
    clock,
    isText: false,
    onMessage: (message) => void messages.push(message),
    ...given,
  })
  t.after(() => {
    socket.terminate()
    for (const each of upgrades.clients) each.terminate()
    server.close()
  })
  return { clock, ours, peer, messages }
}

test('half a connection is noticed: silence of four pings ends it', async (t) => {
  const { clock, ours } = await start(t, { pingEvery: seconds(5) })
  await clock.advance(seconds(19))
  let reason: string | undefined
  void ours.closed.then((why) => {
    reason = why
  })
  await clock.advance(seconds(1))
  assert.equal(reason, undefined)
  await clock.advance(seconds(6))
  assert.equal(await ours.closed, 'the peer was silent for 20 s')
})

test('whatever arrives shows that the peer lives, a ping of its own too, which is answered', async (t) => {
  const { clock, ours, peer } = await start(t)
  for (let passed = 0; passed < 60; passed += 10) {
    const pong = once(peer, 'pong')
    peer.ping(`at ${passed}`)
    assert.equal(String((await pong)[0]), `at ${passed}`)
    await clock.advance(seconds(10))
  }
  ours.terminate('enough')
  assert.equal(await ours.closed, 'enough')
})

test('while this end does not read, the silence is its own', async (t) => {
  const { clock, ours, peer, messages } = await start(t)
  ours.pause()
  peer.send(Buffer.from('waits'))
  await clock.advance(seconds(120))
  assert.deepEqual(messages, [])
  const heard = once(peer, 'pong')
  ours.resume()
  peer.ping()
  await heard
  assert.deepEqual(messages.map(String), ['waits'])
})

test('a peer that takes no data for 15 s is cut off, however often it pings', async (t) => {
  const { clock, ours, peer } = await start(t)
  const wire: Socket = Reflect.get(peer, '_socket')
  wire.pause()
  const chunk = Buffer.alloc(1024 * 1024)
  let taken = 0
  for (let count = 0; count < 64; count++) ours.write(chunk, () => taken++)
  for (let passed = 0; passed < 30 && taken < 64; passed += 5) {
    peer.ping()
    await clock.advance(seconds(5))
  }
  assert.match(await ours.closed, /took no data for 15 s|was silent/)
  assert.ok(taken < 64)
})

test('who closes says why in a frame of the tunnel and in that of the WebSocket', async (t) => {
  const { ours, peer } = await start(t, { isText: true })
  const message = once(peer, 'message')
  const closed = once(peer, 'close')
  ours.close('the node was revoked')
  const [data, isBinary] = await message
  assert.deepEqual(data, encodeTunnelFrame(0, FRAME_TYPES.close, 'the node was revoked'))
  assert.equal(isBinary, false)
  assert.equal(String((await closed)[1]), 'the node was revoked')
  assert.equal(await ours.closed, 'the node was revoked')
  ours.write(Buffer.from('late'), () => assert.fail())
  ours.close('again')
})

test('a thousand pings in five seconds are too many', async (t) => {
  const { ours, peer } = await start(t)
  for (let count = 0; count < 1100; count++) peer.ping()
  assert.equal(await ours.closed, 'the peer sends too many pings')
})
