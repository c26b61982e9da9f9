import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { WebSocket } from 'ws'
import { ms } from '../../../platform/time/index.ts'
import { rawFrame, rawNode } from '../testing/raw-node.ts'
import { join, startTlsCloud, type TlsCloudOptions } from '../testing/tls-cloud.ts'

const MIB = 1024 * 1024

/** A cloud with a hostile node, and a healthy one that has to be served all the time. */
async function start(t: TestContext, options: TlsCloudOptions = {}) {
  const cloud = await startTlsCloud(t, options)
  const { port } = cloud.cloudhub
  const ca = cloud.authority.caPem
  const identity = await join(cloud, 'edge-1')
  const healthy = new WebSocket(`wss://127.0.0.1:${port}/`, {
    ...(await join(cloud, 'edge-2')),
    ca,
    headers: { node_id: 'edge-2' },
  })
  t.after(() => healthy.terminate())
  await once(healthy, 'open')
  let asked = 0
  return {
    ...cloud,
    port,
    ca,
    identity,
    async connect() {
      const node = await rawNode({ port, ca, identity, node: 'edge-1' })
      t.after(() => node.socket.destroy())
      assert.match(node.status, /101/)
      return node
    },
    /** Asks for something and waits for the answer. */
    async serves() {
      const id = `q${++asked}`
      const answered = Promise.withResolvers<void>()
      const onMessage = (data: Buffer) => {
        if (String(data).includes(`"parent_msg_id":"${id}"`)) answered.resolve()
      }
      healthy.on('message', onMessage)
      healthy.send(frameText({}, id))
      await answered.promise
      healthy.off('message', onMessage)
      assert.equal(healthy.readyState, WebSocket.OPEN)
    },
  }
}

function frameText(over: object, id: unknown = 'h1', content: unknown = null): string {
  const route = { source: 'edged', group: 'meta', operation: 'query', resource: 'a/unheard-of/c', ...over }
  return JSON.stringify({ header: { msg_id: id, timestamp: 1 }, route, content })
}

test('messages made to do harm are left out, and the session goes on', async (t) => {
  const { connect, serves } = await start(t)
  const node = await connect()
  const deep = 100_000
  const around = (content: string) => frameText({}).replace('"content":null', `"content":${content}`)
  const bombs = [
    around('['.repeat(deep) + ']'.repeat(deep)),
    around(`${'{"a":'.repeat(deep)}null${'}'.repeat(deep)}`),
    around(`[${'[],'.repeat(1_100_000)}[]]`),
    around(`"${'x'.repeat(5 * MIB)}"`),
    around('{"__proto__":{"isHacked":true},"constructor":{"prototype":{"isHacked":true}}}'),
    around('{"\\u005f_proto__":{"isHacked":true}}'),
    frameText({ operation: 'error', source: 'metamanager' }, 'e1', [[[[]]]]),
    frameText({}, 7),
    frameText({}, { a: 1 }),
    frameText({}, 'x'.repeat(MIB)),
    frameText({ resource: 'y'.repeat(MIB), source: 'edgecontroller' }),
    frameText({ resource: 9, operation: null, group: [], source: {} }),
    '',
    '\u0000',
    'null',
    '"text"',
    '123456789012345678901234567890',
    '{"header":{"msg_id":"a","parent_msg_id":"b"},"route":{"operation":"response"}}',
    frameText({ source: 'twin', resource: 'device/../../twin/edge_updated' }),
    frameText(
      { source: 'twin', resource: 'device/__proto__/constructor/twin/edge_updated', operation: 'update' },
      'p1',
      {
        twin: { __proto__x: null },
      },
    ),
    frameText({ operation: 'upload', group: 'user', resource: '../../etc/passwd' }, 'u1', {
      skerry: { base64: '\u0000' },
    }),
  ]
  for (const bomb of bombs) await node.write(rawFrame(bomb))
  await node.write(rawFrame(Buffer.from([0xff, 0x00]), { opcode: 2 }))
  await serves()
  // The hostile node itself is answered still.
  const answered = once(node.socket, 'data')
  await node.write(rawFrame(frameText({}, 'after')))
  await answered
  assert.equal(Reflect.get({}, 'isHacked'), undefined)
  assert.equal(node.socket.destroyed, false)
})

const violations: readonly (readonly [name: string, bytes: readonly Buffer[], code: number])[] = [
  ['a head that promises more than the limit', [rawFrame('', { length: 2 * MIB })], 1009],
  ['parts that together pass the limit', parts(), 1009],
  ['a compressed frame', [rawFrame('{}', { isCompressed: true })], 1002],
  ['a frame without mask', [rawFrame('{}', { isMasked: false })], 1002],
  ['an unknown opcode', [rawFrame('', { opcode: 5 })], 1002],
  ['a ping in parts', [rawFrame('', { opcode: 9, isLast: false })], 1002],
  ['a ping that is too large', [rawFrame(Buffer.alloc(200), { opcode: 9 })], 1002],
  ['text that is no UTF-8', [rawFrame(Buffer.from([0xc3, 0x28]))], 1007],
]

function parts(): Buffer[] {
  const part = Buffer.alloc(600_000, 0x20)
  return [rawFrame(part, { isLast: false }), rawFrame(part, { opcode: 0, isLast: false })]
}

test('each violation of the protocol closes its own connection with the code for it', async (t) => {
  const { connect, serves, cloudhub } = await start(t, { maxFrameBytes: MIB })
  for (const [name, bytes, code] of violations) {
    const node = await connect()
    for (const each of bytes) await node.write(each)
    assert.equal(await node.closed, code, name)
    await serves()
  }
  assert.equal(cloudhub.hub.isConnected('edge-2'), true)
})

test('a flood of pings that nobody reads the answers of is cut off, and costs others nothing', async (t) => {
  const { connect, serves } = await start(t)
  const node = await connect()
  node.pauseReading()
  const burst = Buffer.concat(Array.from({ length: 100 }, () => rawFrame(Buffer.alloc(125), { opcode: 9 })))
  let sent = 0
  const closed = once(node.socket, 'close')
  for (; !node.socket.destroyed && sent < 500; sent++) {
    await Promise.race([node.write(burst), closed])
    if (sent % 5 === 0) await serves()
  }
  assert.ok(sent < 500)
})

test('a flood of messages that are none is cut off', async (t) => {
  const { connect, serves } = await start(t)
  const node = await connect()
  const burst = Buffer.concat(Array.from({ length: 200 }, () => rawFrame('{')))
  for (let count = 0; count < 10; count++) await node.write(burst)
  await node.closed
  await serves()
})

test('a node that asks without end and does not read delays no answer of another', async (t) => {
  const { connect, serves } = await start(t)
  const node = await connect()
  node.pauseReading()
  const burst = Buffer.concat(Array.from({ length: 500 }, (_, index) => rawFrame(frameText({}, `f${index}`))))
  let isFlooding = true
  const flood = (async () => {
    // The cloud stops reading at some time, and this write then waits until the end.
    while (isFlooding && !node.socket.destroyed) await Promise.race([node.write(burst), node.closed])
  })()
  for (let count = 0; count < 50; count++) await serves()
  isFlooding = false
  node.socket.destroy()
  await flood
})

test('who is slow to say what he wants is cut off, in TLS and in the head of the upgrade', async (t) => {
  const { port, ca, identity, serves } = await start(t, { handshakeWithin: ms(300) })
  const silent = connectTcp(port, '127.0.0.1')
  const slow = connectTls({ host: '127.0.0.1', port, ca, ...identity })
  for (const socket of [silent, slow]) {
    socket.on('error', () => undefined)
    socket.resume()
    t.after(() => socket.destroy())
  }
  await once(slow, 'secureConnect')
  slow.write('GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websock')
  await Promise.all([once(silent, 'close'), once(slow, 'close')])
  await serves()
})

test('connections that show no certificate take no place away from nodes, however many there are', async (t) => {
  // Of a limit of 10 nodes follow 110 such connections, 60 of one address, and 120 altogether.
  const cloud = await start(t)
  const { port, ca, serves } = cloud
  const identity = await join(cloud, 'edge-3')
  const silent: Socket[] = []
  let closed = 0
  const crowd = async () => {
    const socket = connectTcp(port, '127.0.0.1')
    silent.push(socket)
    socket.on('error', () => undefined).on('close', () => closed++)
    socket.resume()
    await once(socket, 'connect')
  }
  for (let count = 0; count < 300; count++) await crowd()
  const node = new WebSocket(`wss://127.0.0.1:${port}/`, { ...identity, ca, headers: { node_id: 'edge-3' } })
  t.after(() => node.terminate())
  await once(node, 'open')
  await serves()
  while (closed < 240) await once(silent.find((socket) => !socket.destroyed) ?? assert.fail(), 'close')
  for (const socket of silent) socket.destroy()
})

test('an upgrade that is none is answered and closed', async (t) => {
  const { port, ca, identity, serves } = await start(t)
  for (const head of [
    'Upgrade: websocket\r\nConnection: Upgrade\r\nnode_id: edge-1\r\n',
    'Upgrade: h2c\r\nConnection: Upgrade\r\n',
  ]) {
    const socket = connectTls({ host: '127.0.0.1', port, ca, ...identity })
    socket.on('error', () => undefined)
    await once(socket, 'secureConnect')
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\n${head}\r\n`)
    const [data] = await once(socket, 'data')
    assert.match(String(data), /^HTTP\/1\.1 (400|426)/)
    if (!socket.destroyed) await once(socket, 'close')
  }
  await serves()
})
