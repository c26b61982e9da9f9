import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connectAsync, type MqttClient } from 'mqtt'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'

/** edge-process.ts, by a command line that runs Node.js and ends with the file. */
export async function spawnEdge(t: TestContext, command: readonly string[]) {
  const script = fileURLToPath(new URL('./edge-process.ts', import.meta.url))
  const [program = '', ...rest] = command
  const child = spawn(program, [...rest.slice(0, -1), script, rest.at(-1) ?? ''], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const closed = once(child, 'close')
  t.after(() => child.kill('SIGKILL'))
  const started: readonly unknown[] = await Promise.race([once(child, 'message'), closed])
  const [port] = started
  assert.ok(typeof port === 'number')
  const connect = async (): Promise<MqttClient> => {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 })
    client.on('error', () => undefined)
    t.after(() => void client.end(true))
    return client
  }
  return { port, closed, connect, kill: () => child.kill('SIGKILL') }
}

export function temporaryFile(): string {
  return join(temporaryFolder('skerry-twin-'), 'edge.db')
}
