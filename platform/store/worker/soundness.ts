import { closeSync, existsSync, openSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { filesOf, MOST_BACKUPS } from '../files.ts'

/** Above it the whole file is only read at a start that follows an unclean stop. */
const QUICK_CHECK_BYTES = 32 * 1024 * 1024

/** Of SQLite's write-ahead log, https://sqlite.org/fileformat2.html#walformat */
const LOG_MAGIC = 0x377f0682
const LOG_HEADER = 32
const FRAME_HEADER = 24

/** A file that SQLite cannot trust. */
export class DamagedError extends Error {
  readonly errcode = 11
}

/** How much of a file has to be read before it is trusted. Asked before SQLite opens it. Throws for what SQLite would overlook. */
export function suspicion(file: string): 'none' | 'quick' | 'thorough' {
  const { log, suspect, backup } = filesOf(file)
  if (!existsSync(file)) return 'none'
  const numbers = Array.from({ length: MOST_BACKUPS }, (_, at) => at + 1)
  const wasUsed = () => sizeOf(log) > LOG_HEADER || numbers.some((number) => existsSync(backup(number)))
  // SQLite would begin anew and delete the log.
  if (sizeOf(file) === 0 && wasUsed()) throw new DamagedError('the file is empty')
  checkLog(log)
  if (existsSync(suspect)) return 'thorough'
  return sizeOf(file) <= QUICK_CHECK_BYTES || sizeOf(log) > 0 ? 'quick' : 'none'
}

/** Reads the whole file. Thorough: also compares the indices with their tables. */
export function check(database: DatabaseSync, depth: 'quick' | 'thorough'): void {
  const pragma = depth === 'quick' ? 'quick_check' : 'integrity_check'
  const first = database.prepare(`PRAGMA ${pragma}(1)`).get()?.[pragma]
  if (first !== 'ok') throw new DamagedError(String(first))
}

/** Remembers over a restart that the file was found damaged while it was in use. */
export function suspect(file: string): void {
  try {
    writeFileSync(filesOf(file).suspect, '', { mode: 0o600 })
  } catch {
    // A disk that takes nothing: the next start checks as far as it does after any stop.
  }
}

export function trust(file: string): void {
  rmSync(filesOf(file).suspect, { force: true })
}

export function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}

/** SQLite takes a log whose header is not sound for an empty one, and what was acknowledged in it would be lost unseen. */
function checkLog(log: string): void {
  const size = sizeOf(log)
  if (size <= LOG_HEADER) return
  const start = Buffer.alloc(LOG_HEADER + FRAME_HEADER)
  const descriptor = openSync(log, 'r')
  try {
    readSync(descriptor, start, 0, start.length, 0)
  } finally {
    closeSync(descriptor)
  }
  // Made but never written, when the power went.
  if (start.every((byte) => byte === 0)) return
  const magic = start.readUInt32BE(0)
  const isSound = (magic & ~1) === LOG_MAGIC && checksumOf(start, magic === LOG_MAGIC) === start.readBigUInt64BE(24)
  if (!isSound) throw new DamagedError('the log beside the file has no valid header')
}

function checksumOf(header: Buffer, isLittleEndian: boolean): bigint {
  let first = 0
  let second = 0
  const word = (at: number) => (isLittleEndian ? header.readUInt32LE(at) : header.readUInt32BE(at))
  for (let at = 0; at < 24; at += 8) {
    first = (first + word(at) + second) >>> 0
    second = (second + word(at + 4) + first) >>> 0
  }
  return (BigInt(first) << 32n) | BigInt(second)
}
