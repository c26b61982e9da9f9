import type { DatabaseSync } from 'node:sqlite'
import { runApart } from '../../apart/run-apart.ts'
import { minutes } from '../../time/duration.ts'
import { systemClock } from '../../time/system-clock.ts'
import type { ReadRequest, Result, WorkerSettings, WriteRequest } from '../protocol.ts'
import type { Recovery } from '../store.ts'
import { openDatabase } from './connection.ts'
import { failureOf, IO_ERROR } from './failure.ts'
import { commitGroup } from './group-commit.ts'
import type { MigrationFailure, MigrationSettings } from './migrate.ts'
import { pendingMigrations } from './migrations.ts'
import { openSound } from './recovery.ts'
import { shrink } from './shrink.ts'
import { suspect } from './soundness.ts'
import { Statements } from './statements.ts'

/** The connection and what is prepared on it; opened anew after an I/O error, because SQLite promises nothing about it then. */
export class Engine {
  readonly #settings: WorkerSettings
  #database: DatabaseSync
  #statements: Statements
  #isSuspect = false
  #isDamaged = false

  constructor(settings: WorkerSettings, database: DatabaseSync) {
    this.#settings = settings
    this.#database = database
    this.#statements = new Statements(database, settings.domains)
  }

  /** Writes first, all of them durable, then reads. */
  commit(writes: readonly WriteRequest[]): readonly Result[] {
    try {
      this.#renew()
      const results = this.#watched(commitGroup(this.#database, this.#statements, writes))
      if (this.#settings.shrinks && !this.#isSuspect) shrink(this.#database)
      return results
    } catch (error) {
      this.#isSuspect = true
      const failure = failureOf(error)
      return this.#watched(writes.map(({ id }) => ({ id, ok: false, failure })))
    }
  }

  read({ id, call }: ReadRequest): Result {
    try {
      this.#renew()
      return { id, ok: true, rows: this.#statements.all(call) }
    } catch (error) {
      return this.#watched([{ id, ok: false, failure: failureOf(error, call[0]) }])[0] ?? { id, ok: true }
    }
  }

  close(): void {
    this.#database.close()
  }

  #renew(): void {
    if (!this.#isSuspect) return
    if (this.#database.isOpen) this.#database.close()
    this.#database = openDatabase(this.#settings, 'again')
    this.#statements = new Statements(this.#database, this.#settings.domains)
    this.#isSuspect = false
  }

  /** What is damaged stays so: what is known of it has to outlive this process. */
  #onDamage(): void {
    if (this.#isDamaged) return
    this.#isDamaged = true
    suspect(this.#settings.file)
  }

  #watched(results: readonly Result[]): readonly Result[] {
    for (const result of results) {
      if (result.ok) continue
      const { kind, sqlite } = result.failure
      if (kind === 'io' || kind === 'readOnly' || (sqlite & 0xff) === IO_ERROR) this.#isSuspect = true
      if (kind === 'damaged') this.#onDamage()
    }
    return results
  }
}

export interface Started {
  readonly engine: Engine
  readonly applied: readonly string[]
  readonly incarnation: number
  readonly recovered?: Recovery
}

/** Opens the file, deals with damage, brings its schema up to date, and prepares the statements. */
export async function startEngine(settings: WorkerSettings): Promise<Started> {
  const { opened, recovered } = await openSound(settings, () => openEngine(settings))
  return recovered ? { ...opened, recovered } : opened
}

async function openEngine(settings: WorkerSettings): Promise<Started> {
  const database = openDatabase(settings, 'first')
  try {
    const pending = pendingMigrations(database, settings.domains)
    if (pending.length > 0) await migrateApart(settings)
    const incarnation = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
    return { engine: new Engine(settings, database), applied: pending.map(({ name }) => name), incarnation }
  } catch (error) {
    database.close()
    throw error
  }
}

/** A slow card and a large file take long. */
const MIGRATE_WITHIN = minutes(10)

/** In a process of its own: what migrates would stay in the memory of this one. */
async function migrateApart({ file, domains, durability, shrinks, checksSchema }: WorkerSettings): Promise<void> {
  const module = new URL(import.meta.url.endsWith('.ts') ? './migrate.ts' : './migrate.js', import.meta.url)
  const settings: MigrationSettings = { file, domains, durability, shrinks, checksSchema }
  const failure = failureIn(
    await runApart(module, 'migrate', settings, { clock: systemClock, deadline: MIGRATE_WITHIN }),
  )
  if (!failure) return
  const { reason, sqlite, code } = failure
  throw Object.assign(new Error(reason), { errcode: sqlite, ...(code === undefined ? {} : { code }) })
}

/** From our own program, so that its type is known. */
function failureIn(answer: unknown): MigrationFailure | undefined
function failureIn(answer: unknown): unknown {
  return answer
}
