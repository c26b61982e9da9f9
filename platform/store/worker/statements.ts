import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { hasCode } from '../../lifecycle/error-code.ts'
import type { WireCall } from '../protocol.ts'
import type { Row, SqlValue, StoreDomain } from '../store.ts'

/** The prepared statements of all domains on one connection. */
export class Statements {
  readonly #byName = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, domains: readonly StoreDomain[]) {
    for (const domain of domains) {
      for (const [key, sql] of Object.entries(domain.statements)) {
        this.#byName.set(`${domain.name}.${key}`, database.prepare(sql))
      }
    }
  }

  run([name, parameters]: WireCall): void {
    this.#find(name).run(...parameters)
  }

  all([name, parameters]: WireCall): readonly Row[] {
    const statement = this.#find(name)
    try {
      return statement.all(...parameters)
    } catch (error) {
      if (!isOutOfRange(error)) throw error
      statement.setReadBigInts(true)
      try {
        return statement.all(...parameters).map(smallestNumbers)
      } finally {
        statement.setReadBigInts(false)
      }
    }
  }

  #find(name: string): StatementSync {
    const statement = this.#byName.get(name)
    if (!statement) throw new Error(`no statement ${name}`)
    return statement
  }
}

/** Some integer of the result is beyond 2^53. */
function isOutOfRange(error: unknown): boolean {
  return hasCode(error, 'ERR_OUT_OF_RANGE')
}

function smallestNumbers(row: Row): Row {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, smallestNumber(value)]))
}

function smallestNumber(value: SqlValue): SqlValue {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
