import type { WorkerSettings } from '../protocol.ts'
import { openDatabase } from './connection.ts'
import { failureOf } from './failure.ts'
import { openDataSource, schemaDrift } from './typeorm.ts'

export type MigrationSettings = Pick<WorkerSettings, 'file' | 'domains' | 'durability' | 'shrinks' | 'checksSchema'>

/** What remains of an error of SQLite or of the system on its way to another process. */
export interface MigrationFailure {
  readonly reason: string
  /** SQLite's result code, 0 where the error is not SQLite's. */
  readonly sqlite: number
  /** The system's, such as ENOSPC. */
  readonly code?: string
}

/**
 * Applies what is pending, through a connection of its own. Called in a process of its own, because what migrates is large and
 * needed once. Answers what went wrong, if anything.
 */
export async function migrate(settings: MigrationSettings): Promise<MigrationFailure | undefined> {
  try {
    await applyPending(settings)
    return undefined
  } catch (error) {
    const { reason, sqlite } = failureOf(error)
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    return { reason, sqlite, ...(typeof code === 'string' ? { code } : {}) }
  }
}

async function applyPending({ file, domains, durability, shrinks, checksSchema }: MigrationSettings): Promise<void> {
  const database = openDatabase({ file, durability, shrinks }, 'again')
  try {
    const dataSource = await openDataSource(database, file, domains)
    await dataSource.runMigrations()
    const drift = checksSchema ? await schemaDrift(dataSource) : []
    await dataSource.destroy()
    if (drift.length > 0)
      throw new Error(`the migrations do not make the declared tables; missing: ${drift.join('; ')}`)
  } finally {
    database.close()
  }
}
