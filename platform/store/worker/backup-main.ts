import { parentPort, workerData } from 'node:worker_threads'
import type { BackupJob, BackupOutcome } from '../protocol.ts'
import { failureOf } from './failure.ts'
import { makeBackup } from './make-backup.ts'

/** A thread for one backup, with a connection of its own: commits go on beside it. */
function run(job: BackupJob): BackupOutcome {
  try {
    makeBackup(job)
    return { ok: true }
  } catch (error) {
    return { ok: false, failure: failureOf(error) }
  }
}

parentPort?.postMessage(run(workerData))
