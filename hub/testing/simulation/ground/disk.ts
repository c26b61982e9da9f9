import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import type { Row, SqlValue, Store, StoreCall, StoreDomain } from '../../../../platform/store/index.ts'
import type { Scheduler } from './scheduler.ts'
import type { SeededRandom } from './seeded-random.ts'

/** Rows of every table: a copy of the whole disk. */
export type Snapshot = ReadonlyMap<string, readonly Row[]>

export interface DiskOptions {
  readonly domains: readonly StoreDomain[]
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  /** Told of each write that has become durable, in their order, before its writer is. */
  readonly onCommitted: (calls: readonly StoreCall[]) => void
}

interface Job {
  readonly calls: readonly StoreCall[]
  readonly settle: (failure?: Error) => void
}

/** Databases are made once and emptied for the next world: making one costs more than most histories write. */
const pool: Database[] = []

class Database {
  readonly sqlite = new DatabaseSync(':memory:')
  readonly statements = new Map<string, StatementSync>()
  readonly tables: readonly string[]
  readonly domains: readonly StoreDomain[]

  constructor(domains: readonly StoreDomain[]) {
    this.domains = domains
    this.tables = domains.flatMap(({ tables }) => tables.map(({ name }) => name))
    for (const domain of domains) {
      for (const { up } of domain.migrations) for (const sql of up) this.sqlite.exec(sql)
      for (const [key, sql] of Object.entries(domain.statements))
        this.statements.set(`${domain.name}.${key}`, this.sqlite.prepare(sql))
    }
  }

  statement(name: string): StatementSync {
    const found = this.statements.get(name)
    if (!found) throw new Error(`no statement ${name}`)
    return found
  }

  clear(): void {
    for (const table of this.tables) this.sqlite.exec(`DELETE FROM "${table}"`)
  }
}

/**
 * The disk of one gateway: the domains' own SQL, in memory. What is committed outlives the process, what is not is lost with it.
 * Writes gather while a group is being committed and are committed together; a commit takes its time.
 */
export class Disk implements Disposable {
  readonly #options: DiskOptions
  readonly #database: Database
  isFull = false
  /** ms that a commit takes at most. */
  slowness = 5
  /** Another one after a backup was put back. */
  incarnation = 1
  #queue: Job[] = []
  #group: Job[] | undefined
  /** Of the process that has the disk now; what an earlier one planned does not happen. */
  #owner = 0

  constructor(options: DiskOptions) {
    this.#options = options
    const at = pool.findIndex(({ domains }) => domains === options.domains)
    this.#database = (at < 0 ? undefined : pool.splice(at, 1)[0]) ?? new Database(options.domains)
    this.#database.clear()
  }

  [Symbol.dispose](): void {
    this.#owner++
    pool.push(this.#database)
  }

  /** For the next process; the one before is gone. */
  open(): Store {
    const owner = ++this.#owner
    this.#queue = []
    this.#group = undefined
    const isGone = () => owner !== this.#owner
    return {
      write: (calls) =>
        new Promise((resolve, reject) => {
          if (isGone()) return
          const settle = (failure?: Error) => (failure ? reject(failure) : resolve())
          this.#queue.push({ calls, settle })
          if (!this.#group) this.#begin(owner)
        }),
      read: ({ statement, parameters }) =>
        new Promise((resolve) => {
          if (!isGone()) resolve(this.rows(statement, ...parameters))
        }),
      [Symbol.asyncDispose]: async () => undefined,
    }
  }

  /** The process is gone at once: the group that was being committed is on disk, or not. */
  crash(): void {
    const group = this.#group
    this.#owner++
    this.#group = undefined
    this.#queue = []
    if (group && !this.isFull && this.#options.random.chance(0.5)) this.#commit(group)
  }

  rows(statement: string, ...parameters: readonly SqlValue[]): readonly Row[] {
    return this.#database.statement(statement).all(...parameters)
  }

  snapshot(): Snapshot {
    const { sqlite, tables } = this.#database
    return new Map(tables.map((table) => [table, sqlite.prepare(`SELECT * FROM "${table}"`).all()]))
  }

  /** A backup is put back, or an empty disk put in. Only while no process has it. */
  restore(snapshot: Snapshot | undefined): void {
    this.#database.clear()
    this.incarnation++
    for (const [table, rows] of snapshot ?? []) {
      for (const row of rows) {
        const columns = Object.keys(row)
        const names = columns.map((column) => `"${column}"`).join(', ')
        const marks = columns.map(() => '?').join(', ')
        const values = columns.map((column) => row[column] ?? null)
        this.#database.sqlite.prepare(`INSERT INTO "${table}" (${names}) VALUES (${marks})`).run(...values)
      }
    }
  }

  #begin(owner: number): void {
    const { scheduler, random } = this.#options
    this.#group = this.#queue
    this.#queue = []
    scheduler.after(random.next() * this.slowness, () => {
      const group = this.#group
      if (owner !== this.#owner || !group) return
      this.#group = undefined
      if (!this.isFull) this.#commit(group)
      for (const { settle } of group) settle(this.isFull ? full() : undefined)
      if (this.#queue.length > 0) this.#begin(owner)
    })
  }

  #commit(group: readonly Job[]): void {
    const { sqlite } = this.#database
    // One statement is a transaction by itself.
    const isSingle = group.length === 1 && group[0]?.calls.length === 1
    if (!isSingle) sqlite.exec('BEGIN')
    for (const { calls } of group)
      for (const { statement, parameters } of calls) this.#database.statement(statement).run(...parameters)
    if (!isSingle) sqlite.exec('COMMIT')
    for (const { calls } of group) this.#options.onCommitted(calls)
  }
}

function full(): Error {
  return new UnavailableError('The disk is full', { code: 'PLATFORM_STORE_FULL' })
}
