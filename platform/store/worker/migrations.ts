import type { DatabaseSync } from 'node:sqlite'
import type { Migration, StoreDomain } from '../store.ts'

/** TypeORM's own table of what has been applied. */
export const MIGRATIONS_TABLE = 'migrations'

/** Of all domains, in the order in which they are applied. */
export function orderedMigrations(domains: readonly StoreDomain[]): readonly Migration[] {
  return domains.flatMap(({ migrations }) => migrations).sort((a, b) => numberOf(a) - numberOf(b))
}

/** Asked without TypeORM, because loading it costs more than everything else of a start. */
export function pendingMigrations(database: DatabaseSync, domains: readonly StoreDomain[]): readonly Migration[] {
  const applied = appliedNames(database)
  return orderedMigrations(domains).filter((migration) => !applied.has(recordedName(migration)))
}

/** TypeORM wants a name to end in thirteen digits, by which it sorts. */
export function recordedName(migration: Migration): string {
  return `${migration.name}-${String(numberOf(migration)).padStart(13, '0')}`
}

function numberOf({ name }: Migration): number {
  return Number.parseInt(name, 10)
}

function appliedNames(database: DatabaseSync): ReadonlySet<unknown> {
  const exists = database.prepare(`SELECT 1 FROM sqlite_schema WHERE name = '${MIGRATIONS_TABLE}'`).get()
  if (!exists) return new Set()
  const rows = database.prepare(`SELECT name FROM ${MIGRATIONS_TABLE}`).all()
  return new Set(rows.map((row) => row['name']))
}
