import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { DataSource, EntitySchema, type Logger, type MigrationInterface, type QueryRunner } from 'typeorm'
import type { Migration, StoreDomain, TableDeclaration } from '../store.ts'
import { MIGRATIONS_TABLE, orderedMigrations, recordedName } from './migrations.ts'

/** TypeORM's own would write to the console; what matters reaches the caller as an error. */
const silent: Logger = {
  logQuery: () => undefined,
  logQueryError: () => undefined,
  logQuerySlow: () => undefined,
  logSchemaBuild: () => undefined,
  logMigration: () => undefined,
  log: () => undefined,
}

/** TypeORM on a connection that the caller opened and will close. */
export async function openDataSource(
  database: DatabaseSync,
  file: string,
  domains: readonly StoreDomain[],
): Promise<DataSource> {
  const dataSource = new DataSource({
    type: 'better-sqlite3',
    database: file,
    driver: driverOver(database),
    entities: domains.flatMap(({ tables }) => tables.map(entityOf)),
    migrations: orderedMigrations(domains).map(migrationClass),
    migrationsTableName: MIGRATIONS_TABLE,
    migrationsTransactionMode: 'each',
    logger: silent,
  })
  return dataSource.initialize()
}

/** SQL that would bring the tables in line with their declarations: empty when migrations and declarations agree. */
export async function schemaDrift(dataSource: DataSource): Promise<readonly string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log()
  return upQueries.map(({ query }) => query)
}

/** The part of better-sqlite3's interface that TypeORM calls, over one open connection of node:sqlite. */
function driverOver(database: DatabaseSync) {
  return class {
    prepare(sql: string) {
      const statement = database.prepare(sql)
      return {
        reader: /^\s*(select|pragma|with|values|explain)\b|\breturning\b/i.test(sql),
        all: (...parameters: SQLInputValue[]) => statement.all(...parameters),
        run: (...parameters: SQLInputValue[]) => statement.run(...parameters),
      }
    }

    pragma(text: string) {
      return database.prepare(`PRAGMA ${text}`).all()
    }

    close(): void {
      // The connection is not TypeORM's.
    }
  }
}

function entityOf(table: TableDeclaration): EntitySchema {
  return new EntitySchema({
    name: table.name,
    tableName: table.name,
    columns: Object.fromEntries(
      Object.entries(table.columns).map(([name, { type, primary = false, nullable = false }]) => [
        name,
        { type, primary, nullable },
      ]),
    ),
    indices: (table.indices ?? []).map(({ name, columns, unique = false }) => ({
      name,
      columns: [...columns],
      unique,
    })),
  })
}

function migrationClass(migration: Migration): new () => MigrationInterface {
  return class {
    readonly name = recordedName(migration)

    async up(runner: QueryRunner): Promise<void> {
      for (const statement of migration.up) await runner.query(statement)
    }

    async down(): Promise<void> {
      throw new Error('A schema only goes forward')
    }
  }
}
