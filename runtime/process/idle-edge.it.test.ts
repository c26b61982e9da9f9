import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

/** Each of them costs megabytes, and an edge needs it rarely or never. */
const LARGE = [
  'typebox',
  'typeorm',
  '@peculiar/x509',
  'mqtt',
  'modbus-serial',
  'node-opcua-client',
  'node-opcua-server',
  'serialport',
  '@lydell/node-pty',
  'pino-pretty',
  'yaml',
  '@kubernetes/client-node',
]

test('the edge half loads nothing large before something needs it', { timeout: 60_000 }, async () => {
  const child = fork(new URL('./testing/loaded.ts', import.meta.url))
  const [loaded]: unknown[] = await once(child, 'message')
  assert.ok(Array.isArray(loaded) && loaded.length > 100)
  const urls = loaded.map(String)
  for (const name of LARGE)
    assert.deepEqual(urls.filter((url) => url.includes(`/node_modules/${name}/`)).slice(0, 3), [])
})
