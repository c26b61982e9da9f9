import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { WorkerSettings } from '../protocol.ts'
import { check, suspicion, trust } from './soundness.ts'

/** The log is cut back to it after a checkpoint. */
const JOURNAL_BYTES = 16 * 1024 * 1024

/** Opens or makes the file, readable by its owner alone; the first time it is proven to be sound. */
export function openDatabase(
  { file, durability, shrinks }: Pick<WorkerSettings, 'file' | 'durability' | 'shrinks'>,
  time: 'first' | 'again',
): DatabaseSync {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const depth = time === 'first' ? suspicion(file) : 'none'
  closeSync(openSync(file, 'a', 0o600))
  const database = new DatabaseSync(file)
  try {
    // Before the first table; of no effect later.
    if (shrinks) database.exec('PRAGMA auto_vacuum = INCREMENTAL')
    database.exec(`
      PRAGMA busy_timeout = 5000;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'};
      PRAGMA journal_size_limit = ${JOURNAL_BYTES};
      PRAGMA foreign_keys = ON;
    `)
    if (depth !== 'none') check(database, depth)
    if (depth === 'thorough') trust(file)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}
