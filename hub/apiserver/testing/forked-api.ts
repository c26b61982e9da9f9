import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { silentLogger } from '../../../platform/log/index.ts'
import { systemClock } from '../../../platform/time/index.ts'
import { openApiPki } from '../index.ts'
import { at } from './objects.ts'
import type { ServedApi } from './serve.ts'

/** An API in a process of its own, on a folder: a test may kill it. It does not outlive the test. */
export async function anApiProcess(
  t: { after(release: () => void): void },
  directory: string,
): Promise<{ child: ChildProcess; api: Pick<ServedApi, 'url' | 'pki'> }> {
  const pki = await openApiPki(directory, { names: [], clock: systemClock, log: silentLogger })
  const child = fork(fileURLToPath(new URL('./api-process.ts', import.meta.url)), [directory])
  t.after(() => void child.kill('SIGKILL'))
  const [message]: unknown[] = await once(child, 'message')
  return { child, api: { url: String(at(message, 'url')), pki } }
}
