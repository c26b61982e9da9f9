import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { ms, systemRandom as random, seconds, systemClock } from '../../../platform/time/index.ts'
import { join, startTlsCloud, type TlsCloud } from '../../cloud/testing/tls-cloud.ts'
import { createWebSocketDialer } from '../../link/index.ts'
import { eventually } from '../testing/joined-edge.ts'
import { createEdgeStream, type EdgeStreamOptions } from './edge-stream.ts'

const never = new AbortController().signal

async function startEdge(t: TestContext, cloud: TlsCloud, given: Partial<EdgeStreamOptions> = {}) {
  const nodeName = given.nodeName ?? 'edge-1'
  const { cert, key } = await join(cloud, nodeName)
  const identity = async () => ({ ca: cloud.authority.caPem, certificate: cert, key })
  const edge = createEdgeStream({
    server: '127.0.0.1:1',
    tunnel: `127.0.0.1:${cloud.tunnel?.port}`,
    nodeName,
    address: () => '192.0.2.7',
    identity,
    longestPause: ms(50),
    ...{ clock: systemClock, random, log },
    ...given,
  })
  const scope = createScope('edge', {
    ...{ clock: systemClock, log, deadline: seconds(5) },
    onCrash: (error) => {
      throw error
    },
  })
  t.after(() => scope.close(seconds(5)))
  await edge.start(scope)
  return { edge, nodeName, stop: () => scope.close(seconds(5)) }
}

function tunnelsOf({ tunnel }: TlsCloud) {
  assert.ok(tunnel)
  return tunnel.tunnels
}

/** Serves the target by HTTP. */
function httpTarget(
  edge: { targets: { serve(target: 'edged', handler: (stream: Duplex) => void): Disposable } },
  server: Server,
) {
  edge.targets.serve('edged', (stream) => void server.emit('connection', stream))
}

function ask(stream: Duplex, path: string, headers = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ createConnection: () => stream, path, headers })
    asked.on('response', resolve)
    asked.on('error', reject)
    asked.end()
  })
}

test('the cloud speaks HTTP with what a node serves, many requests at a time, upgrades included', async (t) => {
  const cloud = await startTlsCloud(t)
  const { edge, nodeName } = await startEdge(t, cloud)
  const server = createServer((incoming, response) => response.end(`${incoming.method} ${incoming.url}`))
  server.on('upgrade', (_request, socket: Duplex, head: Buffer) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
    socket.write(head)
    socket.pipe(socket)
  })
  httpTarget(edge, server)
  const tunnels = tunnelsOf(cloud)
  await eventually(() => tunnels.isOpen(nodeName) || undefined)
  const paths = Array.from({ length: 20 }, (_, at) => `/containerLogs/ns/pod/c?tailLines=${at}`)
  const answers = await Promise.all(
    paths.map(async (path) => text(await ask(await tunnels.open(nodeName, 'edged', never), path))),
  )
  assert.deepEqual(
    answers,
    paths.map((path) => `GET ${path}`),
  )
  const stream = await tunnels.open(nodeName, 'edged', never)
  const upgraded = await new Promise<Duplex>((resolve) => {
    request({ createConnection: () => stream, path: '/exec', headers: { connection: 'Upgrade', upgrade: 'echo' } })
      .on('upgrade', (_response, socket) => resolve(socket))
      .end()
  })
  upgraded.end('what is said comes back')
  assert.equal(await text(upgraded), 'what is said comes back')
  await eventually(() => edge.status().streams === 0 || undefined)
})

test('who is revoked loses the tunnel with all streams, and is let in no more', async (t) => {
  const cloud = await startTlsCloud(t)
  const { edge, nodeName } = await startEdge(t, cloud)
  edge.targets.serve('edged', (stream) => void stream.resume())
  const tunnels = tunnelsOf(cloud)
  await eventually(() => tunnels.isOpen(nodeName) || undefined)
  const stream = await tunnels.open(nodeName, 'edged', never)
  const cut = new Promise<Error>((resolve) => stream.once('error', resolve))
  await cloud.register.revoke(nodeName, never)
  assert.match(String(Reflect.get(await cut, 'code')), /HUB_TUNNEL_CLOSED/)
  await eventually(() => (/403.*revoked/.test(edge.status().detail) ? true : undefined))
  assert.equal(tunnels.isOpen(nodeName), false)
  await assert.rejects(tunnels.open(nodeName, 'edged', never), { code: 'HUB_NO_TUNNEL' })
  await cloud.register.allow(nodeName, never)
  await eventually(() => tunnels.isOpen(nodeName) || undefined)
})

test('a node whose Node is gone loses its streams at once, and its tunnel with them', async (t) => {
  const cloud = await startTlsCloud(t)
  const { edge, nodeName } = await startEdge(t, cloud)
  edge.targets.serve('edged', (stream) => void stream.resume())
  const tunnels = tunnelsOf(cloud)
  await eventually(() => tunnels.isOpen(nodeName) || undefined)
  const stream = await tunnels.open(nodeName, 'edged', never)
  const cut = new Promise<void>((resolve) => stream.on('error', () => undefined).once('close', resolve))
  cloud.register.unsettle(nodeName, 'its uid')
  await cut
  await assert.rejects(tunnels.open(nodeName, 'edged', never))
})

test('a newer tunnel of a node replaces the older; who follows is told of nodes that come and go', async (t) => {
  const cloud = await startTlsCloud(t)
  const tunnels = tunnelsOf(cloud)
  const told: string[] = []
  tunnels.onNode((node, isOpen) => void told.push(`${node} ${isOpen}`))
  const first = await startEdge(t, cloud)
  await eventually(() => told.length === 1 || undefined)
  await first.stop()
  await eventually(() => told.length === 2 || undefined)
  const second = await startEdge(t, cloud, { longestPause: seconds(600) })
  await eventually(() => told.length === 3 || undefined)
  const third = await startEdge(t, cloud, { longestPause: seconds(600) })
  await eventually(() => (/replaced by a newer tunnel/.test(second.edge.status().detail) ? true : undefined))
  assert.equal(third.edge.status().connected, true)
  assert.equal(tunnels.isOpen('edge-1'), true)
  assert.deepEqual(told, ['edge-1 true', 'edge-1 false', 'edge-1 true', 'edge-1 true'])
})

test('the edge comes back when the connection is cut at any stage: before TLS, in the upgrade, while streams are open', async (t) => {
  const cloud = await startTlsCloud(t)
  const tunnels = tunnelsOf(cloud)
  let stage: 'tcp' | 'tls' | 'open' = 'tcp'
  let cuts = 0
  const sockets = new Set<Socket>()
  const proxy = createTcpServer((socket) => {
    socket.on('error', () => undefined)
    if (stage === 'tcp') return socket.destroy()
    const onward = connect({ host: '127.0.0.1', port: cloud.tunnel?.port ?? 0 })
    onward.on('error', () => undefined)
    for (const each of [socket, onward]) {
      sockets.add(each)
      each.on('close', () => sockets.delete(each))
    }
    socket.pipe(onward)
    onward.pipe(socket)
    // After the first bytes of the server's hello.
    if (stage === 'tls')
      onward.once('data', () => {
        cuts++
        socket.destroy()
      })
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
  })
  const at = proxy.address()
  assert.ok(at !== null && typeof at === 'object')
  const { edge, nodeName } = await startEdge(t, cloud, { tunnel: `127.0.0.1:${at.port}` })
  edge.targets.serve('edged', (stream) => void stream.pipe(stream))
  const failed = () => edge.status().detail
  await eventually(() => (/socket|hang up|reset|disconnected/i.test(failed()) ? true : undefined))
  stage = 'tls'
  await eventually(() => cuts >= 2 || undefined)
  stage = 'open'
  for (let round = 0; round < 3; round++) {
    await eventually(() => (tunnels.isOpen(nodeName) && edge.status().connected) || undefined)
    const stream = await tunnels.open(nodeName, 'edged', never)
    stream.write('said')
    assert.equal(String((await once(stream, 'data'))[0]), 'said')
    const cut = new Promise<Error>((resolve) => stream.once('error', resolve))
    for (const socket of sockets) socket.destroy()
    assert.equal(Reflect.get(await cut, 'code'), 'HUB_TUNNEL_CLOSED')
    await eventually(() => !tunnels.isOpen(nodeName) || edge.status().streams === 0 || undefined)
  }
})

test('a server that another authority vouches for is not told who dials', async (t) => {
  const cloud = await startTlsCloud(t)
  const foreign = await startTlsCloud(t)
  const { edge } = await startEdge(t, cloud, { tunnel: `127.0.0.1:${foreign.tunnel?.port}` })
  await eventually(() => (/certificate|self.signed/i.test(edge.status().detail) ? true : undefined))
  assert.equal(edge.status().connected, false)
  assert.equal(tunnelsOf(foreign).isOpen('edge-1'), false)
})

test('a renewed certificate is used once no stream is open', async (t) => {
  const cloud = await startTlsCloud(t)
  let reads = 0
  const { cert, key } = await join(cloud, 'edge-1')
  const identity = async () => {
    reads++
    return { ca: cloud.authority.caPem, certificate: cert, key }
  }
  const { edge } = await startEdge(t, cloud, { identity })
  edge.targets.serve('edged', (stream) => void stream.pipe(stream))
  const tunnels = tunnelsOf(cloud)
  await eventually(() => tunnels.isOpen('edge-1') || undefined)
  const stream = await tunnels.open('edge-1', 'edged', never)
  edge.renew()
  stream.write('still here')
  assert.equal(String((await once(stream, 'data'))[0]), 'still here')
  assert.equal(reads, 1)
  stream.end()
  stream.resume()
  await eventually(() => reads === 2 || undefined)
  await eventually(() => edge.status().connected || undefined)
})

test('the edge learns from CloudHub where the tunnel server is, and dials none where there is none', async (t) => {
  const cloud = await startTlsCloud(t)
  const off = await startTlsCloud(t, { cloudstream: { tunnel: false } })
  assert.equal(off.tunnel, undefined)
  for (const each of [cloud, off]) {
    const { cert, key } = await join(each, 'edge-1')
    const identity = async () => ({ ca: each.authority.caPem, certificate: cert, key })
    const server = `127.0.0.1:${each.cloudhub.port}`
    const edge = createEdgeStream({
      ...{ server, nodeName: 'edge-1', address: () => '192.0.2.7', identity },
      ...{ clock: systemClock, random, log, longestPause: ms(50) },
    })
    const scope = createScope('edge', { clock: systemClock, log, deadline: seconds(5), onCrash: () => assert.fail() })
    t.after(() => scope.close(seconds(5)))
    await edge.start(scope)
    assert.equal(edge.status().detail, 'the cloud has not said yet where its tunnel server is')
    const dialer = edge.hearing(
      createWebSocketDialer({ server, path: '/p/edge-1/events', identity, clock: systemClock, log }),
    )
    const link = await dialer.dial({ node_id: 'edge-1', project_id: 'p', ConnectionUse: 'msg' }, never)
    if (each === cloud) await eventually(() => edge.status().connected || undefined)
    else await eventually(() => (edge.status().detail === 'the cloud has no tunnel server' ? true : undefined))
    link.close('seen')
  }
})

test('a reader in the cloud that stops stops its writer on the node within a window or two, and no other stream of the node', async (t) => {
  const cloud = await startTlsCloud(t)
  const { edge, nodeName } = await startEdge(t, cloud)
  let written = 0
  edge.targets.serve('edged', (stream) => {
    stream.once('data', (wish: Buffer) => {
      if (String(wish) !== 'endless') return stream.end(wish)
      const fill = () => {
        do written += 100_000
        while (written < 1e9 && stream.write(Buffer.alloc(100_000)))
      }
      stream.on('drain', fill)
      return fill()
    })
  })
  const tunnels = tunnelsOf(cloud)
  await eventually(() => tunnels.isOpen(nodeName) || undefined)
  const slow = await tunnels.open(nodeName, 'edged', never)
  slow.write('endless')
  await eventually(() => (written >= 300_000 ? true : undefined))
  for (let count = 0; count < 50; count++) {
    const quick = await tunnels.open(nodeName, 'edged', never)
    quick.write(`${count}`)
    assert.equal(await text(quick), `${count}`)
    quick.destroy()
  }
  assert.ok(written < 600_000, `${written} bytes were taken from the writer`)
  slow.destroy()
})

test('a node takes so many streams as the cloud allows, and one more is refused at once', async (t) => {
  const cloud = await startTlsCloud(t, { cloudstream: { streamsPerNode: 3 } })
  const { edge, nodeName } = await startEdge(t, cloud)
  edge.targets.serve('edged', () => undefined)
  const tunnels = tunnelsOf(cloud)
  await eventually(() => tunnels.isOpen(nodeName) || undefined)
  const open = () => tunnels.open(nodeName, 'edged', never)
  const [first] = await Promise.all([open(), open(), open()])
  await assert.rejects(open(), { code: 'HUB_TUNNEL_BUSY' })
  await assert.rejects(tunnels.open(nodeName, 'servicebus', never), { code: 'HUB_TUNNEL_BUSY' })
  first?.destroy()
  await eventually(() =>
    open().then(
      () => true,
      () => undefined,
    ),
  )
  await assert.rejects(tunnels.open('edge-2', 'edged', never), { code: 'HUB_NO_TUNNEL' })
})
