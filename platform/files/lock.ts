import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { RefusedError, UnavailableError } from '../lifecycle/errors.ts'

/**
 * Takes a folder for this process until disposed. The lock is one of the kernel on the SQLite file `DIR/<name>`, so it goes
 * with the process, also after kill -9. Rejects with RefusedError, code PLATFORM_LOCKED, fields `dir` and `pid` (of the
 * holder, when known), while another process, or this one, holds it; with UnavailableError where the disk is full or the file damaged.
 */
export async function lockDirectory(dir: string, name = 'lock'): Promise<AsyncDisposable> {
  // Nothing else may open DIR/<name> in this process: POSIX drops all locks of a process on a file with the first descriptor
  // of it that closes. SQLite knows that of its own descriptors. The pid is in another file for this reason.
  const database = new DatabaseSync(join(dir, name), { timeout: 0 })
  const pidFile = join(dir, `${name}.pid`)
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (!isBusy(cause)) {
      throw new UnavailableError('The data directory cannot be locked', {
        code: 'PLATFORM_LOCK_FAILED',
        fields: { dir, file: join(dir, name) },
        cause,
      })
    }
    const pid = await readPid(pidFile)
    throw new RefusedError('Another process uses this data directory; stop it, or name another one with --data', {
      code: 'PLATFORM_LOCKED',
      fields: { dir, ...(pid === undefined ? {} : { pid }) },
      cause,
    })
  }
  try {
    await writeFile(pidFile, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    database.close()
    throw error
  }
  let held = true
  return {
    [Symbol.asyncDispose]: async () => {
      if (held) database.close()
      held = false
    },
  }
}

const SQLITE_BUSY = 5

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY
}

async function readPid(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '')
  const pid = Number.parseInt(text, 10)
  return Number.isSafeInteger(pid) ? pid : undefined
}
