import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { testAuthority, testIdentity } from '../../../platform/certificates/testing/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { type Clock, ms, systemRandom as random, seconds, systemClock } from '../../../platform/time/index.ts'
import { FakeClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { eventually } from '../testing/joined-edge.ts'
import { OriginalCloudStream } from '../testing/kubeedge/original-cloudstream.ts'
import { createEdgeStream } from './edge-stream.ts'
import { toSocket } from './serve-socket.ts'

type Serve = (request: IncomingMessage, response: ServerResponse) => void

/** An edge whose kubelet server answers on a unix socket as the test says, and an original cloud that it has dialled. */
async function start(t: TestContext, serve: Serve, { clock = systemClock }: { readonly clock?: Clock } = {}) {
  const authority = await testAuthority()
  const cloud = await OriginalCloudStream.start(t, authority)
  const subject = { commonName: 'system:node:edge-1', organizations: ['system:nodes'] }
  const { cert, key } = await testIdentity(authority, subject, ['clientAuth'])
  const path = `${temporaryFolder('skerry-edged-')}/edged.sock`
  const edged = createServer(serve)
  edged.listen(path)
  await once(edged, 'listening')
  const edge = createEdgeStream({
    server: '127.0.0.1:1',
    tunnel: `127.0.0.1:${cloud.port}`,
    nodeName: 'edge-1',
    address: () => '192.0.2.7',
    identity: async () => ({ ca: authority.certificatePem, certificate: String(cert), key: String(key) }),
    longestPause: ms(20),
    ...{ clock, random, log },
  })
  edge.targets.serve(
    'edged',
    toSocket(() => path),
  )
  const scope = createScope('edge', {
    ...{ clock: systemClock, log, deadline: seconds(5) },
    onCrash: (error) => {
      throw error
    },
  })
  t.after(async () => {
    await scope.close(seconds(5))
    edged.closeAllConnections()
    edged.close()
  })
  await edge.start(scope)
  await eventually(() => cloud.isConnected || undefined)
  return { cloud, edge, edged }
}

test('H113: the edge dials an original cloud as its own edge does, and gives logs and metrics of Edged as bare bodies', async (t) => {
  const seen: (string | undefined)[] = []
  const { cloud } = await start(t, (request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers['accept-encoding']}`)
    response.end(request.url?.startsWith('/stats') ? '{"node":{}}' : Buffer.from([0xff, 0, 10, 0xfe]))
  })
  const [dialled] = cloud.dialled
  assert.equal(dialled?.path, '/v1/kubeedge/connect')
  assert.equal(dialled?.headers['sessionhostnameoverride'], 'edge-1')
  assert.equal(dialled?.headers['sessioninternalip'], '192.0.2.7')
  const logs = cloud.connect(0, '/containerLogs/default/app/main?tailLines=3', { 'Accept-Encoding': ['gzip'] })
  const stats = cloud.connect(2, '/stats/summary', { Accept: ['*/*'] })
  await eventually(() => (logs.isRemoved && stats.isRemoved) || undefined)
  assert.deepEqual(logs.received, Buffer.from([0xff, 0, 10, 0xfe]))
  assert.equal(String(stats.received), '{"node":{}}')
  assert.deepEqual(seen.sort(), [
    'GET /containerLogs/default/app/main?tailLines=3 identity',
    'GET /stats/summary identity',
  ])
  assert.deepEqual(cloud.strange, [])
})

test('exec and attach are every byte of a connection with Edged, with the method and headers of the caller', async (t) => {
  const { cloud, edged, edge } = await start(t, (_request, response) => response.end())
  edged.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade}\r\nX: ${request.method} ${request.url}\r\n\r\n`,
    )
    socket.pipe(socket)
  })
  const header = { Connection: ['Upgrade'], Upgrade: ['SPDY/3.1'] }
  const connection = cloud.connect(1, '/exec/default/app/main?command=sh', header)
  await eventually(() => connection.received.includes('\r\n\r\n') || undefined)
  assert.match(String(connection.received), /^HTTP\/1.1 101 [\s\S]*X: POST \/exec\/default\/app\/main\?command=sh\r\n/)
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 256))
  for (let at = 0; at < bytes.length; at += 256) cloud.frame(connection.id, 3, bytes.subarray(at, at + 256))
  await eventually(() => connection.received.length >= bytes.length + 60 || undefined)
  assert.ok(connection.received.subarray(-bytes.length).equals(bytes))
  cloud.frame(connection.id, 4, '')
  await eventually(() => edge.status().streams === 0 || undefined)
  assert.deepEqual(cloud.strange, [])
})

test('who stops following a log ends the request; a connection that cannot be served is removed at once', async (t) => {
  let ended = 0
  const { cloud, edge } = await start(t, (_request, response) => {
    response.write('first\n')
    response.on('close', () => ended++)
  })
  const followed = cloud.connect(0, '/containerLogs/a/b/c?follow=true')
  await eventually(() => followed.received.length === 6 || undefined)
  cloud.frame(followed.id, 4, '')
  await eventually(() => ended === 1 || undefined)
  const strange = cloud.connect(0, '/containerLogs/a/b/c', { 'X: y\r\nZ': ['1'] })
  await eventually(() => strange.isRemoved || undefined)
  edge.targets.serve(
    'edged',
    toSocket(() => '/nowhere/edged.sock'),
  )
  const unserved = cloud.connect(0, '/containerLogs/a/b/c')
  await eventually(() => unserved.isRemoved || undefined)
  edge.targets.serve('edged', () => undefined)[Symbol.dispose]()
  const off = cloud.connect(2, '/metrics')
  await eventually(() => off.isRemoved || undefined)
})

test('it pings each 5 s, and comes back when it was cut off or told to close', async (t) => {
  const clock = new FakeClock(systemClock.now())
  const { cloud } = await start(t, (_request, response) => response.end(), { clock })
  for (let pings = 1; pings <= 4; pings++) {
    await clock.advance(seconds(5))
    await eventually(() => cloud.pings === pings || undefined)
  }
  cloud.cut()
  await eventually(() => !cloud.isConnected || undefined)
  await eventually(async () => {
    await clock.advance(seconds(1))
    return cloud.dialled.length === 2 || undefined
  })
  await eventually(() => cloud.isConnected || undefined)
  cloud.frame(0, 5, 'failed to Update KubeletEndpoint Port')
  await eventually(async () => {
    await clock.advance(seconds(1))
    return cloud.dialled.length === 3 || undefined
  })
})

test('frames that break the rules end the tunnel, others are left out, and the edge comes back', async (t) => {
  const { cloud } = await start(t, (_request, response) => response.end('fine'))
  for (const bytes of [Buffer.alloc(1024 * 1024 + 100, 1), Buffer.from('ff', 'hex'), Buffer.alloc(0)]) {
    const before = cloud.dialled.length
    await eventually(() => cloud.isConnected || undefined)
    cloud.raw(bytes)
    await eventually(() => cloud.dialled.length > before || undefined)
  }
  await eventually(() => cloud.isConnected || undefined)
  for (const hex of ['0503aabb', '0504', '0509ff', '0020aa']) cloud.raw(Buffer.from(hex, 'hex'))
  const logs = cloud.connect(0, '/containerLogs/a/b/c')
  await eventually(() => logs.isRemoved || undefined)
  assert.equal(String(logs.received), 'fine')
})
