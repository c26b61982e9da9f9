import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { hostMqtt, mqttDevice } from './testing/hosted.ts'

const CONNACK = Buffer.from([0x20, 2, 0, 0])

/** A broker that greets every client, and then does as the test says when it is asked for subscriptions. */
async function broker(t: TestContext, onSubscribe: (socket: Socket, id: Buffer) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes: Buffer) => {
      // The packets of these tests are short, and one subscription is one packet.
      if (bytes[0] === 0x10) socket.write(CONNACK)
      if (bytes[0] === 0x82) onSubscribe(socket, bytes.subarray(2, 4))
    })
  }).listen(0, '127.0.0.1')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address)
  return `mqtt://127.0.0.1:${address.port}`
}

function suback(id: Buffer, code: number): Buffer {
  return Buffer.concat([Buffer.from([0x90, 3]), id, Buffer.from([code])])
}

/** MQTT 3.1.1 §3.3, QoS 2. */
function publish(id: number, payload: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from([0, 1, 0x61, id >> 8, id & 255]), payload])
  const length: number[] = []
  for (let rest = body.length; rest > 0; rest >>= 7) length.push((rest & 127) | (rest > 127 ? 128 : 0))
  return Buffer.concat([Buffer.from([0x34, ...length]), body])
}

test('a broker that refuses every subscription is the reason of each property', async (t) => {
  const url = await broker(t, (socket, id) => socket.write(suback(id, 0x80)))
  const host = hostMqtt(t)
  host.assign(mqttDevice('d', { broker: url }, { v: { topic: 'a' } }))
  const reading = await host.until('a refusal', () => host.readings('d', 'v').at(-1))
  assert.equal(reading.cause, 'the MQTT broker refuses the subscription to a')
})

test('a broker that never releases what it sent, or sends garbage or a giant, loses its client for that reason', async (t) => {
  const crimes = [
    {
      commit: (socket: Socket) => {
        const payload = Buffer.alloc(1_000_000, 0x31)
        for (let id = 1; id <= 18; id++) socket.write(publish(id, payload))
      },
      reason: /did not release 17 messages of QoS 2/,
    },
    { commit: (socket: Socket) => socket.write(Buffer.alloc(2_000_000, 0xff)), reason: /more than 1048576 bytes/ },
    { commit: (socket: Socket) => socket.write(Buffer.from([0x30, 0xff, 0xff, 0x7f])), reason: /more than 1048576/ },
    {
      commit: (socket: Socket) => socket.write(Buffer.from([0x00, 0x00])),
      reason: /the connection to the MQTT broker/,
    },
  ]
  const host = hostMqtt(t)
  for (const [index, { commit, reason }] of crimes.entries()) {
    const url = await broker(t, (socket, id) => {
      socket.write(suback(id, 2))
      commit(socket)
    })
    const name = `d${index}`
    host.assign(mqttDevice(name, { broker: url }, { v: { topic: 'a', qos: 2 } }))
    assert.match((await host.state(name, 'offline')).reason ?? '', reason)
  }
})
