import type { Failure } from '../protocol.ts'

// Primary result codes of SQLite, https://sqlite.org/rescode.html
const BUSY = 5
const LOCKED = 6
const NO_MEMORY = 7
const READ_ONLY = 8
export const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26
/** The index of the log could not be made larger: for want of space, in all that was seen. */
const SHARED_MEMORY_SIZE = IO_ERROR | (19 << 8)

const KINDS: ReadonlyMap<number, Failure['kind']> = new Map([
  [BUSY, 'busy'],
  [LOCKED, 'busy'],
  [NO_MEMORY, 'io'],
  [READ_ONLY, 'readOnly'],
  [IO_ERROR, 'io'],
  [CORRUPT, 'damaged'],
  [FULL, 'full'],
  [CANNOT_OPEN, 'io'],
  [NOT_A_DATABASE, 'damaged'],
])

/** What the system says of files beside SQLite's own work. */
const SYSTEM_KINDS: ReadonlyMap<unknown, Failure['kind']> = new Map<unknown, Failure['kind']>([
  ['ENOSPC', 'full'],
  ['EDQUOT', 'full'],
  ['EROFS', 'readOnly'],
  ['EACCES', 'readOnly'],
  ['EPERM', 'readOnly'],
  ['EIO', 'io'],
  ['EFBIG', 'io'],
  ['EMFILE', 'io'],
  ['ENFILE', 'io'],
])

/** What a throw of node:sqlite, or of anything on the way to it, means for the caller of the store. */
export function failureOf(error: unknown, statement?: string): Failure {
  const sqlite = codeOf(error)
  const failure: Failure = {
    // An extended code carries its primary code in the low byte.
    kind: kindOf(sqlite) ?? systemKind(error) ?? 'refused',
    reason: error instanceof Error ? error.message : String(error),
    sqlite,
  }
  return statement === undefined ? failure : { ...failure, statement }
}

function codeOf(error: unknown): number {
  for (let at = error; at instanceof Error; at = at.cause ?? driverErrorOf(at)) {
    if ('errcode' in at && typeof at.errcode === 'number') return at.errcode
  }
  return 0
}

function kindOf(sqlite: number): Failure['kind'] | undefined {
  return sqlite === SHARED_MEMORY_SIZE ? 'full' : KINDS.get(sqlite & 0xff)
}

function systemKind(error: unknown): Failure['kind'] | undefined {
  return error instanceof Error && 'code' in error ? SYSTEM_KINDS.get(error.code) : undefined
}

/** TypeORM's QueryFailedError keeps the driver's error here. */
function driverErrorOf(error: Error): unknown {
  return 'driverError' in error ? error.driverError : undefined
}
