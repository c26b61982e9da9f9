import type { Worker } from 'node:worker_threads'
import type { BackupJob, BackupOutcome } from './protocol.ts'
import { threadOf } from './thread.ts'

/**
 * Makes one backup in a thread of its own. The signal ends the thread, as soon as SQLite lets it; what it had written is
 * removed at the next backup or start.
 */
export async function runBackup(job: BackupJob, signal: AbortSignal): Promise<BackupOutcome> {
  signal.throwIfAborted()
  const worker: Worker = threadOf('backup-main', 'skerry-backup', job)
  const { promise, resolve, reject } = Promise.withResolvers<BackupOutcome>()
  worker.once('message', (outcome: BackupOutcome) => resolve(outcome))
  worker.once('error', reject)
  worker.once('exit', () => reject(new Error('the thread of the backup ended before it was done')))
  const onAbort = () => void worker.terminate().then(() => reject(signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
