import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { createMetrics } from '../../../platform/health/index.ts'
import { findSocketPath } from '../../../platform/http/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { systemClock as clock, seconds } from '../../../platform/time/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { askEdged } from '../testing/ask-edged.ts'
import { scriptedChannel } from '../testing/scripted-channel.ts'
import { serveEdged } from './edged-server.ts'

async function serve(folder: string, port?: number) {
  const scope = createScope('Edged', {
    clock,
    log,
    deadline: seconds(5),
    onCrash: (error) => assert.fail(String(error)),
  })
  const { runtime } = scriptedChannel({})
  const ports = {
    bus: createLocalBus(clock, log),
    runtime,
    pods: () => undefined,
    nodeName: 'edge-1',
    directory: folder,
    clock,
    log,
    metrics: createMetrics(),
  }
  const path = await serveEdged({ folder, ...(port === undefined ? {} : { port }) }, ports, scope)
  return { path, scope }
}

test('a node without pods or runtime answers clearly, and tells of itself', async () => {
  const { path, scope } = await serve(temporaryFolder())
  assert.equal((await askEdged(path, '/healthz')).text, 'ok')
  assert.deepEqual(await askEdged(path, '/containerLogs/shop/till/app'), {
    ...{ status: 404, text: 'pod "till" does not exist\n' },
  })
  assert.deepEqual(JSON.parse((await askEdged(path, '/pods')).text).items, [])
  assert.deepEqual(JSON.parse((await askEdged(path, '/stats/summary')).text).pods, [])
  assert.match((await askEdged(path, '/metrics/resource')).text, /^node_cpu_usage_seconds_total /m)
  assert.deepEqual(await askEdged(path, '/restart/shop/till', 'POST'), {
    ...{ status: 503, text: 'this node runs no pods now\n' },
  })
  assert.equal((await askEdged(path, '/restart/shop/till')).status, 404)
  await scope[Symbol.asyncDispose]()
})

test('a socket that a killed process left is replaced, and one whose path is too long lies elsewhere', async () => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'edged.sock'), '')
  const { path, scope } = await serve(folder)
  assert.equal(path, join(folder, 'edged.sock'))
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await scope[Symbol.asyncDispose]()

  const deep = temporaryFolder(`skerry-${'x'.repeat(120)}-`)
  const far = await serve(deep)
  assert.ok(far.path.length < 100)
  assert.equal(await findSocketPath(deep, 'edged'), far.path)
  assert.equal((await askEdged(far.path, '/healthz')).text, 'ok')
  await far.scope[Symbol.asyncDispose]()
})

test('on a port of the loopback no web page reaches it', async () => {
  const port = await portThatIsFree()
  const { scope } = await serve(temporaryFolder(), port)
  const ask = async (...head: readonly string[]) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(`${head.join('\r\n')}\r\nconnection: close\r\n\r\n`)
    return (await text(socket)).split('\r\n', 1)[0]
  }
  assert.equal(await ask('GET /healthz HTTP/1.1', `host: 127.0.0.1:${port}`), 'HTTP/1.1 200 OK')
  assert.equal(await ask('GET /healthz HTTP/1.1', 'host: evil.example'), 'HTTP/1.1 403 Forbidden')
  const upgrade = [
    'GET /exec/shop/till/app?command=sh HTTP/1.1',
    `host: 127.0.0.1:${port}`,
    'upgrade: websocket',
    'connection: upgrade',
  ]
  assert.equal(await ask(...upgrade, 'origin: https://evil.example'), 'HTTP/1.1 403 Forbidden')
  await scope[Symbol.asyncDispose]()
})

async function portThatIsFree(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
