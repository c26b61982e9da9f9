import assert from 'node:assert/strict'
import { createServer, Socket } from 'node:net'
import { test } from 'node:test'
import { ConnectionLimit } from './connection-limit.ts'

test('connections are counted over all servers until they close, and asked now and then whether they live', async (t) => {
  const refused: string[] = []
  const onRefused = (reason: string) => void refused.push(reason)
  const limit = new ConnectionLimit({ most: 1, mostOfAddress: 1, isShared: () => false, onRefused })
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
  assert.deepEqual([refused, probed], [['connections'], [first]])
  const closed = new Promise((resolve) => first.once('close', resolve))
  first.destroy()
  await closed
  assert.ok(!connect(servers[1]).destroyed)
})

test('where connections are shared out, one address takes its share alone, and gets it back', async () => {
  const refused: string[] = []
  const limit = new ConnectionLimit({
    ...{ most: 3, mostOfAddress: 1, isShared: (socket) => socket.remoteAddress !== '127.0.0.1' },
    onRefused: (reason) => void refused.push(reason),
  })
  const server = createServer()
  limit.watch(server)
  const connect = (address: string) => {
    const socket = new Socket()
    Object.defineProperty(socket, 'remoteAddress', { value: address })
    server.emit('connection', socket)
    return socket
  }
  const pod = connect('10.0.0.1')
  assert.ok(connect('10.0.0.1').destroyed)
  assert.deepEqual([connect('127.0.0.1').destroyed, connect('127.0.0.1').destroyed], [false, false])
  assert.ok(connect('10.0.0.2').destroyed)
  assert.deepEqual(refused, ['pod-connections', 'connections'])
  const closed = new Promise((resolve) => pod.once('close', resolve))
  pod.destroy()
  await closed
  assert.ok(!connect('10.0.0.1').destroyed)
})
