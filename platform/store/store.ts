import type { SkerryError } from '../lifecycle/errors.ts'

/** What SQLite stores. Booleans are 0 and 1, JSON is text. */
export type SqlValue = null | number | bigint | string | Uint8Array
export type Row = Readonly<Record<string, SqlValue>>

/**
 * A table as plain data (TypeORM's EntitySchema options), so that it can be sent to the store's worker.
 * Column types are those of SQLite.
 */
export interface TableDeclaration {
  readonly name: string
  readonly columns: Readonly<
    Record<
      string,
      { readonly type: 'text' | 'integer' | 'real' | 'blob'; readonly primary?: true; readonly nullable?: true }
    >
  >
  readonly indices?: readonly {
    readonly name: string
    readonly columns: readonly string[]
    readonly unique?: boolean
  }[]
}

/** One step of a schema. Names are unique over all domains, ordered by their leading number, and never change once released. */
export interface Migration {
  /** `0001-twin-tables`. */
  readonly name: string
  readonly up: readonly string[]
}

/** What one domain keeps in the shared file. */
export interface StoreDomain {
  readonly name: string
  readonly tables: readonly TableDeclaration[]
  readonly migrations: readonly Migration[]
  /** Prepared once, called by `<domain>.<key>`. Parameters are positional. */
  readonly statements: Readonly<Record<string, string>>
}

export interface StoreCall {
  /** `<domain>.<statement>`. */
  readonly statement: string
  readonly parameters: readonly SqlValue[]
}

/**
 * One SQLite file behind one worker thread. Writes are committed in the order of their calls, many in one transaction
 * (group commit, driven by load and never by a timer); a write resolves after the fsync of its group.
 */
export interface Store extends AsyncDisposable {
  /**
   * The calls are atomic together. Rejects with UnavailableError (code PLATFORM_STORE_FULL when the disk is full) when they
   * could not be made durable; other writes of the same group are not affected by a call of this one that SQLite refuses.
   */
  write(calls: readonly StoreCall[]): Promise<void>
  /** Sees every write that resolved before. */
  read(call: StoreCall): Promise<readonly Row[]>
}

/** How a store came to serve although its file was damaged. */
export interface Recovery {
  readonly from: 'backup' | 'empty'
  /** What was wrong with the file. */
  readonly reason: string
  /** Where it is now, in the same folder; absent when it was discarded. */
  readonly damagedFile?: string
  /** When the backup was made, Unix ms. */
  readonly backupTime?: number
}

/** A store with what its owner, not its users, has to know. */
export interface OpenedStore extends Store {
  /**
   * Another number than the one that was remembered beside the data means that the data went back to an earlier state. Each
   * backup bears a number of its own, so this holds for a backup that was put back by hand, too.
   */
  readonly incarnation: number
  /** Set when this opening found damage and did something about it. */
  readonly recovered: Recovery | undefined
  /** Settles when damage is met while the store is in use; the next opening deals with it. Until then calls that meet it reject. */
  readonly damage: Promise<SkerryError>
  /** Transactions since the opening: the same number as before means that there is nothing new to back up. */
  readonly commits: number
  /**
   * Makes a backup beside the file and lets go of all but the newest `keep`; commits go on meanwhile. Rejects as `write` does,
   * and leaves the earlier backups as they are then.
   */
  backup(keep: number, signal: AbortSignal): Promise<void>
}
