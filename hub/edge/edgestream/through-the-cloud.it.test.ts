import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { ms, systemRandom as random, seconds, systemClock } from '../../../platform/time/index.ts'
import { join, startTlsCloud, type TlsCloud } from '../../cloud/testing/tls-cloud.ts'
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
