import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Row, Store, StoreDomain } from '../../../platform/store/index.ts'

export interface MemoryStore extends Store {
  /** Writes fail until it is undefined again. */
  failure: string | undefined
  /** Statements written, in order. */
  readonly written: readonly string[]
  /** Whole contents, so that a test can go on with the same disk. */
  readonly database: DatabaseSync
}

/** The domains' own SQL on a database in memory, without the worker: settles in the same turn, for tests on virtual time. */
export function memoryStore(domains: readonly StoreDomain[], from?: MemoryStore): MemoryStore {
  const database = from?.database ?? new DatabaseSync(':memory:')
  const statements = new Map<string, StatementSync>()
  for (const domain of domains) {
    if (!from) for (const { up } of domain.migrations) for (const sql of up) database.exec(sql)
    for (const [key, sql] of Object.entries(domain.statements)) {
      statements.set(`${domain.name}.${key}`, database.prepare(sql))
    }
  }
  const statementOf = (name: string): StatementSync => {
    const found = statements.get(name)
    if (!found) throw new Error(`no statement ${name}`)
    return found
  }
  const written: string[] = []
  return {
    database,
    written,
    failure: undefined,
    async write(calls) {
      if (this.failure !== undefined) throw new UnavailableError(this.failure, { code: 'PLATFORM_STORE_FULL' })
      for (const { statement, parameters } of calls) {
        statementOf(statement).run(...parameters)
        written.push(statement)
      }
    },
    async read({ statement, parameters }) {
      const rows: Row[] = statementOf(statement).all(...parameters)
      return rows
    },
    async [Symbol.asyncDispose]() {
      // The database stays for a store that goes on from it.
    },
  }
}
