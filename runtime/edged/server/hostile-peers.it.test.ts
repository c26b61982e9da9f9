import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { createLocalBus } from '../../../platform/bus/index.ts'
import { createMetrics } from '../../../platform/health/index.ts'
import { listen } from '../../../platform/http/index.ts'
import { answers, dial, standAttacks, standSlowPeers, type Target } from '../../../platform/http/testing/index.ts'
import { createScope } from '../../../platform/lifecycle/index.ts'
import { silentLogger as log } from '../../../platform/log/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import { ForwardClock } from '../../../platform/time/testing/index.ts'
import { temporaryFolder } from '../../../tools/testing/temporary-folder.ts'
import { scriptedChannel } from '../testing/scripted-channel.ts'
import { serveEdged } from './edged-server.ts'

for (const where of ['socket', 'port'] as const) {
  test(`hostile peers of the kubelet server are refused on its ${where}, and others go on`, async (t) => {
    const clock = new ForwardClock()
    const folder = temporaryFolder()
    const onCrash = (error: unknown) => assert.ifError(error)
    const scope = createScope('Edged', { clock, log, deadline: seconds(5), onCrash })
    t.after(() => scope[Symbol.asyncDispose]())
    const { runtime } = scriptedChannel({})
    const ground = { clock, log, metrics: createMetrics(), bus: createLocalBus(clock, log) }
    const ports = { ...ground, runtime, pods: () => undefined, nodeName: 'edge-1', directory: folder }
    const port = where === 'port' ? await freePort() : undefined
    const path = await serveEdged({ folder, ...(port === undefined ? {} : { port }) }, ports, scope)
    const connect = () => dial(port === undefined ? { path } : { host: '127.0.0.1', port })
    const serves = () => answers({ connect, request: { method: 'GET', path: '/healthz' } }, 200)
    const request = { method: 'POST', path: '/restart/shop/till' }
    const target: Target = { connect, serves, request, tooLarge: [503] }
    await standAttacks(target)
    await standSlowPeers(target, { clock, body: undefined })
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  await listen(server, { host: '127.0.0.1', port: 0 })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}
