import type { DatabaseSync } from 'node:sqlite'
import type { Failure, Result, WriteRequest } from '../protocol.ts'
import { failureOf } from './failure.ts'
import type { Statements } from './statements.ts'

/**
 * Commits the writes in their order by one transaction, and answers each. What SQLite refuses of one write is undone alone.
 * When the transaction as a whole fails for want of space, the log is emptied into the file, whose pages are there already,
 * and it is tried once more: updates go on like this on a full disk. When that does not help, or a statement ended it, its
 * halves are tried apart, so that one write that is too large does not fail its neighbours.
 */
export function commitGroup(
  database: DatabaseSync,
  statements: Statements,
  writes: readonly WriteRequest[],
  mayEmptyLog = true,
): readonly Result[] {
  if (writes.length === 0) return []
  try {
    return commitTogether(database, statements, writes)
  } catch (error) {
    rollback(database)
    const failure = error instanceof GroupEnded ? error.failure : failureOf(error)
    if (failure.kind === 'full' && mayEmptyLog && emptyLog(database)) {
      return commitGroup(database, statements, writes, false)
    }
    const splits = failure.kind === 'full' || failure.kind === 'refused'
    if (!splits || writes.length === 1) return writes.map(({ id }) => ({ id, ok: false, failure }))
    const middle = Math.ceil(writes.length / 2)
    return [
      ...commitGroup(database, statements, writes.slice(0, middle), false),
      ...commitGroup(database, statements, writes.slice(middle), false),
    ]
  }
}

/** Without waiting for readers. True when all of it is in the file, so that the next commit begins the log anew. */
function emptyLog(database: DatabaseSync): boolean {
  try {
    const { busy, log, checkpointed } = database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get() ?? {}
    return busy === 0 && log === checkpointed && log !== 0
  } catch {
    // The file would have to grow, too.
    return false
  }
}

/** The transaction is of no more use; nothing of it will be committed. */
class GroupEnded extends Error {
  readonly failure: Failure

  constructor(failure: Failure) {
    super(failure.reason)
    this.failure = failure
  }
}

function commitTogether(
  database: DatabaseSync,
  statements: Statements,
  writes: readonly WriteRequest[],
): readonly Result[] {
  database.exec('BEGIN IMMEDIATE')
  const results = writes.map((write) => applyOne(database, statements, write))
  database.exec('COMMIT')
  return results
}

function applyOne(database: DatabaseSync, statements: Statements, write: WriteRequest): Result {
  const { id, calls } = write
  // A single statement undoes itself.
  const isNested = calls.length > 1
  let at = ''
  try {
    if (isNested) database.exec('SAVEPOINT one')
    for (const call of calls) {
      at = call[0]
      statements.run(call)
    }
    if (isNested) database.exec('RELEASE one')
    return { id, ok: true }
  } catch (error) {
    const failure = failureOf(error, at)
    if (failure.kind !== 'refused' || !isInTransaction(database)) throw new GroupEnded(failure)
    if (isNested) database.exec('ROLLBACK TO one; RELEASE one')
    return { id, ok: false, failure }
  }
}

/** A statement with ON CONFLICT ROLLBACK, and some errors, end the transaction behind our back. */
function isInTransaction(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN')
  } catch {
    // "cannot start a transaction within a transaction"
    return true
  }
  database.exec('ROLLBACK')
  return false
}

function rollback(database: DatabaseSync): void {
  if (isInTransaction(database)) database.exec('ROLLBACK')
}
