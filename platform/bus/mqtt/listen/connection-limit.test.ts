import assert from 'node:assert/strict'
import { createServer, Socket } from 'node:net'
import { test } from 'node:test'
import { ConnectionLimit } from './connection-limit.ts'

test('connections are counted over all servers until they close, and asked now and then whether they live', async (t) => {
  let refused = 0
  const limit = new ConnectionLimit(1, () => refused++)
  const servers = [createServer(), createServer()]
  for (const server of servers) limit.watch(server)
  const probed: Socket[] = []
  const connect = (server: (typeof servers)[number] | undefined) => {
    const socket = new Socket()
    t.mock.method(socket, 'setKeepAlive', (isOn: boolean) => {
      if (isOn) probed.push(socket)
      return socket
    })
    server?.emit('connection', socket)
    return socket
  }
  const first = connect(servers[0])
  assert.ok(connect(servers[1]).destroyed)
  assert.deepEqual([refused, probed], [1, [first]])
  const closed = new Promise((resolve) => first.once('close', resolve))
  first.destroy()
  await closed
  assert.ok(!connect(servers[1]).destroyed)
})
