import { closeSync, existsSync, openSync, rmSync, utimesSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { filesOf, MOST_BACKUPS } from '../files.ts'
import type { BackupJob } from '../protocol.ts'
import { rename, sync } from './disk.ts'
import { failureOf } from './failure.ts'
import { check, suspect } from './soundness.ts'

/**
 * Copies the database as it is at this moment, while others write to it. A file that is not sound is not copied, so that its
 * sound backups stay; a copy takes its name only when it is whole on disk and was read back.
 */
export function makeBackup({ file, keep, timeMs }: BackupJob): void {
  const { draft, backup } = filesOf(file)
  try {
    removeDraft(draft)
    closeSync(openSync(draft, 'wx', 0o600))
    const incarnation = copy(file, draft)
    seal(draft, incarnation + 1)
    utimesSync(draft, timeMs / 1000, timeMs / 1000)
    sync(draft)
    for (let number = keep; number <= MOST_BACKUPS; number++) rmSync(backup(number), { force: true })
    for (let number = keep - 1; number >= 1; number--) {
      if (existsSync(backup(number))) rename(backup(number), backup(number + 1))
    }
    rename(draft, backup(1))
  } catch (error) {
    removeDraft(draft)
    throw error
  }
}

/** Of a sound file, as it is at this moment. Answers its incarnation. */
export function copy(file: string, draft: string): number {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    database.exec('PRAGMA busy_timeout = 5000')
    check(database, 'quick')
    database.prepare('VACUUM INTO ?').run(draft)
    return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  } catch (error) {
    if (failureOf(error).kind === 'damaged') suspect(file)
    throw error
  } finally {
    database.close()
  }
}

/** Gives the copy a number of its own, so that whoever serves from it one day can tell that the data went back. */
function seal(draft: string, incarnation: number): void {
  const database = new DatabaseSync(draft)
  try {
    database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA user_version = ${incarnation}`)
    check(database, 'quick')
  } finally {
    database.close()
  }
}

function removeDraft(draft: string): void {
  for (const each of [draft, `${draft}-journal`]) rmSync(each, { force: true })
}
