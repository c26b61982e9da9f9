import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { Duplex } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { eventually } from '../../edge/testing/joined-edge.ts'
import { OriginalEdgeStream, type OriginalEdgeStreamOptions } from '../testing/kubeedge/original-edge-stream.ts'
import { join, startTlsCloud } from '../testing/tls-cloud.ts'

const never = new AbortController().signal

/** A cloud with the tunnel of an original edge, whose kubelet server answers as the test says. */
async function start(
  t: TestContext,
  serve: (request: IncomingMessage, response: import('node:http').ServerResponse) => void,
) {
  const cloud = await startTlsCloud(t)
  const kubelet = createServer(serve)
  kubelet.listen(0, '127.0.0.1')
  await once(kubelet, 'listening')
  t.after(() => {
    kubelet.closeAllConnections()
    kubelet.close()
  })
  const at = kubelet.address()
  assert.ok(at !== null && typeof at === 'object' && cloud.tunnel)
  const { tunnels, port } = cloud.tunnel
  const identity = await join(cloud, 'edge-1')
  const base = { port, node: 'edge-1', ca: cloud.authority.caPem, identity, kubelet: at.port }
  const dial = (given: Partial<OriginalEdgeStreamOptions> = {}) => OriginalEdgeStream.dial({ ...base, ...given })
  const edge = await dial()
  assert.ok(edge instanceof OriginalEdgeStream)
  t.after(() => edge.cut())
  await eventually(() => tunnels.isOpen('edge-1') || undefined)
  return { cloud, kubelet, tunnels, edge, dial }
}

function ask(stream: Duplex, path: string, headers = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = request({ createConnection: () => stream, path, headers })
    asked.on('response', resolve)
    asked.on('error', reject)
    asked.end()
  })
}

test('logs of an original edge come as the body of an answer; the connect frame is what its own cloud sends', async (t) => {
  const log = Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from('line\n'.repeat(2000))])
  const { tunnels, edge } = await start(t, (_request, response) => response.end(log))
  assert.equal(tunnels.peer('edge-1'), 'kubeedge')
  const path = '/containerLogs/default/app/main?tailLines=10&timestamps=true'
  const answer = await ask(await tunnels.open('edge-1', 'edged', never), path, { accept: '*/*' })
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(await buffer(answer), log)
  const [connect] = edge.connects
  assert.equal(connect?.type, 0)
  assert.deepEqual(JSON.parse(connect?.json ?? ''), {
    MessID: 1,
    url: {
      ...{ Scheme: 'http', Opaque: '', User: null, Host: '127.0.0.1:10350', Path: '/containerLogs/default/app/main' },
      ...{ RawPath: '', OmitHost: false, ForceQuery: false, RawQuery: 'tailLines=10&timestamps=true' },
      ...{ Fragment: '', RawFragment: '' },
    },
    header: { Accept: ['*/*'], Connection: ['close'] },
  })
  assert.deepEqual(edge.strange, [])
})

test('a log that is followed comes line by line, and who stops following ends it on the edge', async (t) => {
  const lines: ((text: string) => void)[] = []
  let ended = 0
  const { tunnels, edge } = await start(t, (_request, response) => {
    response.flushHeaders()
    lines.push((line) => void response.write(line))
    response.on('close', () => ended++)
  })
  const stream = await tunnels.open('edge-1', 'edged', never)
  const answer = await ask(stream, '/containerLogs/default/app/main?follow=true')
  await eventually(() => lines.length === 1 || undefined)
  lines[0]?.('one\n')
  assert.equal(String((await once(answer, 'data'))[0]), 'one\n')
  lines[0]?.('two\n')
  assert.equal(String((await once(answer, 'data'))[0]), 'two\n')
  answer.destroy()
  await eventually(() => ended === 1 || undefined)
  assert.deepEqual(edge.removed, [1])
})

test('exec and attach are passed through as every byte, the answer to the upgrade too', async (t) => {
  const { tunnels, edge, kubelet } = await start(t, (_request, response) => response.end())
  kubelet.on('upgrade', (incoming: IncomingMessage, socket: Duplex) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Method: ${incoming.method}\r\n\r\n`,
    )
    socket.pipe(socket)
  })
  for (const [path, type] of [
    ['/exec/default/app/main?command=sh&stdin=1', 1],
    ['/attach/default/app/main', 6],
  ] as const) {
    const stream = await tunnels.open('edge-1', 'edged', never)
    const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' }
    const [response, socket] = await new Promise<[IncomingMessage, Duplex]>((resolve) => {
      const asked = request({ createConnection: () => stream, path, method: 'POST', headers })
      asked.on('upgrade', (answer, upgraded) => resolve([answer, upgraded]))
      asked.end()
    })
    assert.equal(response.headers['x-method'], 'POST')
    const bytes = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 256))
    const got: Buffer[] = []
    socket.on('data', (data: Buffer) => got.push(data))
    socket.write(bytes)
    await eventually(() => Buffer.concat(got).length === bytes.length || undefined)
    assert.deepEqual(Buffer.concat(got), bytes)
    socket.destroy()
    assert.equal(edge.connects.at(-1)?.type, type)
    assert.equal(JSON.parse(edge.connects.at(-1)?.json ?? '').method, 'POST')
  }
  await eventually(() => edge.removed.length === 2 || undefined)
  assert.deepEqual(edge.strange, [])
})

test('metrics come as a body; what an original tunnel cannot carry is refused, and nothing of it is sent', async (t) => {
  const { tunnels, edge } = await start(t, (incoming, response) => response.end(`metrics of ${incoming.url}`))
  const answer = await ask(await tunnels.open('edge-1', 'edged', never), '/stats/summary?only_cpu_and_memory=true')
  assert.equal(await text(answer), 'metrics of /stats/summary?only_cpu_and_memory=true')
  assert.equal(edge.connects[0]?.type, 2)
  for (const [path, status] of [
    ['/pods', 501],
    ['/exec/a/b/c', 400],
    ['/portForward/a/b', 501],
  ] as const) {
    const refused = await ask(await tunnels.open('edge-1', 'edged', never), path)
    assert.equal(refused.statusCode, status)
    refused.resume()
  }
  await assert.rejects(tunnels.open('edge-1', 'servicebus', never), { code: 'HUB_TUNNEL_REFUSED' })
  assert.equal(edge.connects.length, 1)
})

test('when the tunnel breaks in the middle of a body, that does not look like its end', async (t) => {
  const { tunnels, edge } = await start(t, (_request, response) => void response.write('half\n'))
  const answer = await ask(await tunnels.open('edge-1', 'edged', never), '/containerLogs/a/b/c')
  const read = text(answer)
  const failed = assert.rejects(read)
  await eventually(() => edge.connects.length === 1 || undefined)
  edge.cut()
  await failed
  await eventually(() => !tunnels.isOpen('edge-1') || undefined)
  await assert.rejects(tunnels.open('edge-1', 'edged', never), { code: 'HUB_NO_TUNNEL' })
})

test('a log that nobody reads holds up the others of its node for a moment, and is cut; memory stays bounded', async (t) => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  const { tunnels, edge } = await start(t, (incoming, response) => {
    if (incoming.url !== '/containerLogs/a/big/c') return response.end('small')
    const fill = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', fill)
    fill()
  })
  const slow = await tunnels.open('edge-1', 'edged', never)
  slow.on('error', () => undefined)
  slow.write('GET /containerLogs/a/big/c HTTP/1.1\r\nHost: x\r\n\r\n')
  await eventually(() => (edge.socket.bufferedAmount > 1_000_000 ? true : undefined))
  const answer = await ask(await tunnels.open('edge-1', 'edged', never), '/containerLogs/a/small/c')
  assert.equal(await text(answer), 'small')
  await eventually(() => slow.destroyed || undefined)
  await eventually(() => edge.removed.includes(1) || undefined)
})

test('who is let in: the node of the certificate, as its header says, on the path of tunnels', async (t) => {
  const { cloud, dial, edge, tunnels } = await start(t, (_request, response) => response.end())
  assert.equal(await dial({ headers: { SessionHostNameOverride: 'edge-2' } }), '403')
  assert.equal(await dial({ headers: {} }), '400')
  assert.equal(await dial({ path: '/v1/kubeedge/other' }), '404')
  const stranger = { ca: cloud.authority.caPem, port: cloud.tunnel?.port ?? 0, node: 'edge-1', kubelet: 1 }
  assert.equal(await OriginalEdgeStream.dial(stranger), 'tls')
  const newer = await dial()
  assert.ok(newer instanceof OriginalEdgeStream)
  t.after(() => newer.cut())
  await edge.closed
  assert.equal(edge.closeReason, 'replaced by a newer tunnel of the node')
  assert.equal(tunnels.isOpen('edge-1'), true)
  await newer.ping()
  await cloud.register.revoke('edge-1', never)
  await newer.closed
  assert.match(newer.closeReason ?? '', /revoked/)
  assert.equal(await dial(), '403')
})

test('frames that break the rules end the tunnel, and the cloud serves on', async (t) => {
  const { dial, edge, tunnels } = await start(t, (_request, response) => response.end('fine'))
  edge.raw(Buffer.alloc(1024 * 1024 + 100, 1))
  await edge.closed
  for (const bytes of ['ff', '8080808080808080808080', 'ffffffffffffffffff01']) {
    const other = await dial()
    assert.ok(other instanceof OriginalEdgeStream)
    other.raw(Buffer.from(bytes, 'hex'))
    await other.closed
    assert.match(other.closeReason ?? '', /no number/)
  }
  const good = await dial()
  assert.ok(good instanceof OriginalEdgeStream)
  t.after(() => good.cut())
  // Of streams that are unknown, or types that are.
  for (const hex of ['0503aabb', '0504', '0509ff', '0501aa', '0020aa'])
    good.raw(Buffer.from(hex, 'hex'), hex.length > 6)
  await eventually(() => tunnels.isOpen('edge-1') || undefined)
  const answer = await ask(await tunnels.open('edge-1', 'edged', never), '/metrics')
  assert.equal(await text(answer), 'fine')
})
