import { BugError, RefusedError, type SkerryError, UnavailableError } from '../lifecycle/errors.ts'
import type { Failure } from './protocol.ts'

/** What the caller of a store catches. */
export function storeError(failure: Failure, file: string): SkerryError {
  const { reason, sqlite, statement } = failure
  const fields = { file, reason, sqlite, ...(statement === undefined ? {} : { statement }) }
  switch (failure.kind) {
    case 'full':
      return new UnavailableError('The disk is full: free some space, the store goes on by itself', {
        code: 'PLATFORM_STORE_FULL',
        fields,
      })
    case 'readOnly':
      return new UnavailableError(
        'The database file or its disk is read-only: mount the disk writable or give this user the right to write',
        { code: 'PLATFORM_STORE_READ_ONLY', fields },
      )
    case 'io':
      return new UnavailableError('The database file cannot be read or written: look at the disk and its log', {
        code: 'PLATFORM_STORE_IO',
        fields,
      })
    case 'busy':
      return new UnavailableError('Another process holds the database file: end it, the store goes on by itself', {
        code: 'PLATFORM_STORE_BUSY',
        fields,
      })
    case 'damaged':
      return new RefusedError(
        'The database file is damaged: the next start of an edge goes back to its newest backup; for any other, restore a copy',
        { code: 'PLATFORM_STORE_DAMAGED', fields },
      )
    case 'refused':
      return new RefusedError('The database refused a statement', { code: 'PLATFORM_STORE_REFUSED', fields })
  }
}

export function storeClosed(file: string): SkerryError {
  return new UnavailableError('The store is closed', { code: 'PLATFORM_STORE_CLOSED', fields: { file } })
}

export function storeOverloaded(file: string, waiting: number): SkerryError {
  return new UnavailableError('Too many calls wait for the store', {
    code: 'PLATFORM_STORE_OVERLOADED',
    fields: { file, waiting },
  })
}

export function storeStopped(file: string, cause: unknown): SkerryError {
  return new UnavailableError('The worker of the store stopped before it answered', {
    code: 'PLATFORM_STORE_STOPPED',
    fields: { file },
    cause,
  })
}

export function unknownStatement(statement: string): SkerryError {
  return new BugError('No domain of the store declares this statement', {
    code: 'PLATFORM_STORE_STATEMENT_UNKNOWN',
    fields: { statement },
  })
}

export function archiveExists(file: string): SkerryError {
  return new RefusedError('There is a file of this name already: name another one, or replace it with --force', {
    code: 'PLATFORM_ARCHIVE_EXISTS',
    fields: { file },
  })
}

export function archiveUnusable(file: string, reason: string): SkerryError {
  return new RefusedError('The backup cannot be used, and nothing was changed: take another one', {
    code: 'PLATFORM_ARCHIVE_UNUSABLE',
    fields: { file, reason },
  })
}
