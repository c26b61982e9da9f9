import { chmodSync, copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { basename } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../time/system-clock.ts'
import { damagedAmong, damagedName, filesOf, MOST_BACKUPS } from '../files.ts'
import type { WorkerSettings } from '../protocol.ts'
import type { Recovery } from '../store.ts'
import { removeLog, rename, sync } from './disk.ts'
import { failureOf } from './failure.ts'
import { check, trust } from './soundness.ts'

/** Damaged files that are kept for whoever wants to look. */
const MOST_DAMAGED = 2

/**
 * Opens the file, and where it is damaged does as the settings say: refuses, discards it, or puts it aside and goes back to
 * the newest sound backup. The damaged file leaves its place only when its successor is whole on disk, so that a crash at any
 * point is followed by the same outcome.
 */
export async function openSound<T>(
  { file, onDamage }: WorkerSettings,
  open: () => Promise<T>,
): Promise<{ readonly opened: T; readonly recovered?: Recovery }> {
  const unfinished = finishRestore(file)
  try {
    const opened = await open()
    return unfinished ? { opened, recovered: unfinished } : { opened }
  } catch (error) {
    const failure = failureOf(error)
    if (failure.kind !== 'damaged' || onDamage === 'refuse') throw error
    if (onDamage === 'restore') return restore(file, failure.reason, open)
    remove(file)
    return { opened: await open(), recovered: { from: 'empty', reason: failure.reason } }
  }
}

/** What a crash left half done. */
function finishRestore(file: string): Recovery | undefined {
  const { copying, draft, restored } = filesOf(file)
  rmSync(copying, { force: true })
  rmSync(draft, { force: true })
  if (!existsSync(restored)) return undefined
  if (existsSync(file)) {
    rmSync(restored, { force: true })
    return undefined
  }
  const backupTime = statSync(restored).mtimeMs
  remove(file)
  rename(restored, file)
  const damagedFile = damagedAmong(file, namesBeside(file)).at(-1)
  return {
    ...{ from: 'backup', reason: 'the process ended while a backup was put in the place of the file', backupTime },
    ...(damagedFile === undefined ? {} : { damagedFile: basename(damagedFile) }),
  }
}

async function restore<T>(file: string, reason: string, open: () => Promise<T>) {
  const { restored } = filesOf(file)
  let damagedFile: string | undefined
  for (let number = 1; ; number++) {
    const backup = prepareBackup(file, number)
    if (damagedFile === undefined) damagedFile = basename(putAside(file))
    else remove(file)
    trust(file)
    if (backup) rename(restored, file)
    const recovered: Recovery = backup
      ? { from: 'backup', reason, damagedFile, backupTime: backup.time }
      : { from: 'empty', reason, damagedFile }
    try {
      return { opened: await open(), recovered }
    } catch (error) {
      if (failureOf(error).kind !== 'damaged' || !backup) throw error
      number = backup.number
    }
  }
}

/** Copies the newest backup that is sound, of those from this number on. */
function prepareBackup(file: string, first: number): { readonly number: number; readonly time: number } | undefined {
  const { backup, copying, restored } = filesOf(file)
  for (let number = first; number <= MOST_BACKUPS; number++) {
    const from = backup(number)
    if (!existsSync(from)) continue
    copyFileSync(from, copying)
    chmodSync(copying, 0o600)
    const { atime, mtime } = statSync(from)
    utimesSync(copying, atime, mtime)
    sync(copying)
    const isUsable = isSound(copying)
    removeLog(copying)
    if (!isUsable) continue
    rename(copying, restored)
    return { number, time: mtime.getTime() }
  }
  rmSync(copying, { force: true })
  return undefined
}

/** Moves the file with its log, and lets go of the oldest of those that were put aside before. */
function putAside(file: string): string {
  const { log } = filesOf(file)
  const aside = damagedName(file, systemClock.now())
  rename(file, aside)
  if (existsSync(log)) renameSync(log, filesOf(aside).log)
  removeLog(file)
  for (const old of damagedAmong(file, namesBeside(file)).slice(0, -MOST_DAMAGED)) remove(old)
  return aside
}

function remove(file: string): void {
  rmSync(file, { force: true })
  removeLog(file)
  trust(file)
}

function isSound(file: string): boolean {
  try {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      check(database, 'quick')
      return true
    } finally {
      database.close()
    }
  } catch (error) {
    if (failureOf(error).kind !== 'damaged') throw error
    return false
  }
}

function namesBeside(file: string): readonly string[] {
  return readdirSync(filesOf(file).folder)
}
