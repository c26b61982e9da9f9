import { createHash } from 'node:crypto'
import { closeSync, copyFileSync, existsSync, openSync, rmSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { notWritten } from '../files/not-written.ts'
import { codeOf } from '../lifecycle/error-code.ts'
import { SkerryError } from '../lifecycle/errors.ts'
import { archiveExists, archiveUnusable, storeError } from './errors.ts'
import { rename, sync } from './worker/disk.ts'
import { failureOf } from './worker/failure.ts'
import { copy } from './worker/make-backup.ts'
import { check } from './worker/soundness.ts'

/** A file that belongs to a database, by its path in the folder of the database. */
export interface ArchivedFile {
  readonly path: string
  readonly text: string
}

/** What an archive says of itself, and the files in it. */
export interface ArchiveContent {
  readonly about: Readonly<Record<string, string>>
  readonly files: readonly ArchivedFile[]
}

export interface ArchiveJob extends ArchiveContent {
  /** The database; it may be in use by another process. */
  readonly database: string
  readonly target: string
  /** A file that has the name already is replaced, once the new one is whole. */
  readonly force: boolean
}

/** In text, so that an archive that was made by a later version can say so. */
const FORMAT = '1'
const ABOUT = 'archive_about'
const FILES = 'archive_files'
const MOST_FILES = 10_000

/**
 * One file, readable by its owner alone, that holds a database as it is at this moment and the files that belong to it: itself
 * a database, with two more tables. Blocks; for processes that do nothing else. Throws as `Store.write` rejects where the database
 * cannot be read, as `writeFileAtomic` where the file cannot be written, and RefusedError, code PLATFORM_ARCHIVE_EXISTS.
 */
export function writeArchive({ database, target, force, about, files }: ArchiveJob): void {
  if (!force && existsSync(target)) throw archiveExists(target)
  const draft = `${target}.draft-${process.pid}`
  try {
    remove(draft)
    closeSync(openSync(draft, 'wx', 0o600))
    const incarnation = copy(database, draft)
    complete(draft, incarnation + 1, { about, files })
    sync(draft)
    rename(draft, target)
  } catch (error) {
    remove(draft)
    throw error instanceof SkerryError ? error : archiveError(error, { database, target })
  }
}

/** Reads and proves all of it. Throws RefusedError, code PLATFORM_ARCHIVE_UNUSABLE. */
export function readArchive(file: string): ArchiveContent {
  try {
    // SQLite would make an empty database of a file that is not there.
    closeSync(openSync(file, 'r'))
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      check(database, 'thorough')
      const about = aboutIn(database)
      if (about['format'] !== FORMAT) throw new Error(`its format is ${about['format']}, known here is ${FORMAT}`)
      if (about['digest'] !== digestOf(database)) throw new Error('its content is not what was written into it')
      return { about, files: filesIn(database) }
    } finally {
      database.close()
    }
  } catch (error) {
    throw archiveUnusable(file, error instanceof Error ? error.message : String(error))
  }
}

/**
 * Puts the database of an archive, which was read before, at a new path. It bears an incarnation that no earlier state of
 * the database it was made of had. Throws as `writeArchive` does.
 */
export function unpackDatabase(file: string, target: string): void {
  try {
    remove(target)
    closeSync(openSync(target, 'wx', 0o600))
    copyFileSync(file, target)
    const database = new DatabaseSync(target)
    try {
      database.exec(`PRAGMA journal_mode = OFF; DROP TABLE ${ABOUT}; DROP TABLE ${FILES}; VACUUM`)
    } finally {
      database.close()
    }
    sync(target)
  } catch (error) {
    remove(target)
    throw archiveError(error, { database: target, target })
  }
}

/** What is full, or takes nothing, is where the archive goes: the database was only read. */
function archiveError(error: unknown, { database, target }: Pick<ArchiveJob, 'database' | 'target'>): SkerryError {
  const failure = failureOf(error)
  const isOfTarget = failure.kind === 'full' || failure.kind === 'readOnly' || isOfSystem(error)
  if (!isOfTarget) return storeError(failure, database)
  // SQLite has words of its own for it.
  return notWritten(
    target,
    failure.kind === 'full' ? Object.assign(new Error(failure.reason), { code: 'ENOSPC' }) : error,
  )
}

/** `ENOENT` and the like; those of Node.js itself have an underscore. */
function isOfSystem(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test(codeOf(error) ?? '')
}

function complete(draft: string, incarnation: number, { about, files }: ArchiveContent): void {
  const database = new DatabaseSync(draft)
  try {
    database.exec(`
      PRAGMA journal_mode = OFF;
      PRAGMA synchronous = OFF;
      PRAGMA user_version = ${incarnation};
      CREATE TABLE ${ABOUT} (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL);
      CREATE TABLE ${FILES} (path TEXT PRIMARY KEY NOT NULL, text TEXT NOT NULL);
    `)
    const addFile = database.prepare(`INSERT INTO ${FILES} (path, text) VALUES (?, ?)`)
    for (const { path, text } of files) addFile.run(path, text)
    const addAbout = database.prepare(`INSERT INTO ${ABOUT} (name, value) VALUES (?, ?)`)
    for (const [name, value] of Object.entries({ ...about, format: FORMAT })) addAbout.run(name, value)
    addAbout.run('digest', digestOf(database))
    check(database, 'thorough')
  } finally {
    database.close()
  }
}

/** Over every row of every table but the digest itself: SQLite's own check does not see a changed letter. */
function digestOf(database: DatabaseSync): string {
  const hash = createHash('sha256')
  const tables = database.prepare(`SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name`).all()
  hash.update(String(database.prepare('PRAGMA user_version').get()?.['user_version']))
  for (const { name, sql } of tables) {
    const table = String(name)
    hash.update(`\n${table}\n${String(sql)}\n`)
    const condition = table === ABOUT ? ` WHERE name <> 'digest'` : ''
    const rows = database.prepare(`SELECT * FROM "${table.replaceAll('"', '""')}"${condition} ORDER BY 1`)
    for (const row of rows.iterate()) hash.update(`${JSON.stringify(Object.values(row).map(plain))}\n`)
  }
  return hash.digest('hex')
}

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  return typeof value === 'bigint' ? String(value) : value
}

function aboutIn(database: DatabaseSync): Readonly<Record<string, string>> {
  const found = database.prepare(`SELECT 1 FROM sqlite_master WHERE name = '${ABOUT}'`).get()
  if (!found) throw new Error('it is no backup that Skerry made')
  const rows = database.prepare(`SELECT name, value FROM ${ABOUT} LIMIT 100`).all()
  return Object.fromEntries(rows.map((row) => [String(row['name']), String(row['value'])]))
}

function filesIn(database: DatabaseSync): readonly ArchivedFile[] {
  const rows = database.prepare(`SELECT path, text FROM ${FILES} ORDER BY path LIMIT ${MOST_FILES}`).all()
  return rows.map((row) => ({ path: String(row['path']), text: String(row['text']) }))
}

function remove(file: string): void {
  for (const each of [file, `${file}-journal`, `${file}-wal`, `${file}-shm`]) rmSync(each, { force: true })
}
