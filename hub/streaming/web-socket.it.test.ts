import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { listen } from '../../platform/http/index.ts'
import { acceptWebSocket } from './web-socket.ts'

const PROTOCOL = 'v5.channel.k8s.io'

/** A server that accepts one WebSocket and reads it. */
async function served(t: TestContext): Promise<{ readonly port: number; readonly accepted: Promise<WebSocket> }> {
  const server = createServer()
  const { promise: accepted, resolve, reject } = Promise.withResolvers<WebSocket>()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    t.after(() => void socket.destroy())
    acceptWebSocket({ request, socket, head }, PROTOCOL).then((webSocket) => {
      webSocket?.on('error', () => undefined).resume()
      if (webSocket) resolve(webSocket)
    }, reject)
  })
  await listen(server, { host: '127.0.0.1', port: 0 })
  t.after(() => server.close())
  const address = server.address()
  return { port: typeof address === 'object' && address ? address.port : 0, accepted }
}

test('a ping is answered', async (t) => {
  const { port } = await served(t)
  const client = new WebSocket(`ws://127.0.0.1:${port}`, [PROTOCOL])
  await once(client, 'open')
  client.ping('there?')
  const [said] = await once(client, 'pong')
  assert.equal(String(said), 'there?')
  client.terminate()
})

test('a client that pings and does not read fills no memory with answers', async (t) => {
  const { port, accepted } = await served(t)
  const client = connect({ host: '127.0.0.1', port }).on('error', () => undefined)
  t.after(() => void client.destroy())
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13'
  client.write(
    `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\nSec-WebSocket-Protocol: ${PROTOCOL}\r\n\r\n`,
  )
  const webSocket = await accepted
  // Masked with zeros, so that the payload stands as it is (RFC 6455, 5.3).
  const ping = Buffer.concat([Buffer.of(0x89, 0xfd, 0, 0, 0, 0), Buffer.alloc(125)])
  const flood = Buffer.concat(Array.from({ length: 8192 }, () => ping))
  for (let round = 0; round < 30; round++) if (!client.write(flood)) await once(client, 'drain')
  assert.ok(webSocket.bufferedAmount < 256 * 1024, `${webSocket.bufferedAmount} bytes wait`)
})
