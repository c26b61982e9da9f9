import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Above it the whole file is only read at a start that follows an unclean stop. */
const QUICK_CHECK_BYTES = 32 * 1024 * 1024
/** The log is cut back to it after a checkpoint. */
const JOURNAL_BYTES = 16 * 1024 * 1024

/** A file that SQLite cannot trust. */
export class DamagedError extends Error {
  readonly errcode = 11
}

/** Opens or makes the file, readable by its owner alone; the first time it is proven to be sound. */
export function openDatabase(file: string, durability: 'full' | 'normal', time: 'first' | 'again'): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
  const isSuspect = sizeOf(file) <= QUICK_CHECK_BYTES || sizeOf(`${file}-wal`) > 0
  const database = new DatabaseSync(file)
  try {
    database.exec(`
      PRAGMA busy_timeout = 5000;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'};
      PRAGMA journal_size_limit = ${JOURNAL_BYTES};
      PRAGMA foreign_keys = ON;
    `)
    if (time === 'first' && isSuspect) check(database)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function check(database: DatabaseSync): void {
  const first = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check']
  if (first !== 'ok') throw new DamagedError(String(first))
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
