import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import type { ConnectFields } from './bytes.ts'
import { RawClient } from './raw-client.ts'

interface Cleanup {
  after(release: () => Promise<void> | void): void
}

const ENTRY = new URL('./broker-process.ts', import.meta.url)

/** A broker in a process of its own, which can be killed and started again on the same file and port. */
export async function restartingBroker(t: Cleanup) {
  const file = join(temporaryFolder('skerry-mqtt-'), 'mqtt.db')
  let child: ChildProcess | undefined
  let port = 0
  const kill = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  const start = async () => {
    child = fork(ENTRY, [file, String(port)], { execArgv: ['--disable-warning=ExperimentalWarning'] })
    const [said]: unknown[] = await once(child, 'message')
    assert.ok(typeof said === 'number')
    port = said
  }
  t.after(kill)
  await start()
  return {
    file,
    kill,
    start,
    get port() {
      return port
    },
    /** kill -9, and another process on the file. */
    async restart(): Promise<void> {
      await kill()
      await start()
    },
    async client(fields: ConnectFields = {}): Promise<{ client: RawClient; answer: string }> {
      const client = new RawClient(t, port)
      return { client, answer: await client.greet(fields) }
    },
  }
}
