import type { Recovery, Row, SqlValue, StoreDomain } from './store.ts'

/** Why SQLite did not do it; the main thread makes an error of it. */
export interface Failure {
  readonly kind: 'full' | 'readOnly' | 'io' | 'busy' | 'damaged' | 'refused'
  /** SQLite's own words. */
  readonly reason: string
  /** SQLite's extended result code, 0 when the failure is not SQLite's. */
  readonly sqlite: number
  readonly statement?: string
}

/** One statement of a request: its full name and its parameters. */
export type WireCall = readonly [statement: string, parameters: readonly SqlValue[]]

export type WriteRequest = { readonly id: number; readonly kind: 'write'; readonly calls: readonly WireCall[] }
export type ReadRequest = { readonly id: number; readonly kind: 'read'; readonly call: WireCall }
export type Request = WriteRequest | ReadRequest

export type Result =
  | { readonly id: number; readonly ok: true; readonly rows?: readonly Row[] }
  | { readonly id: number; readonly ok: false; readonly failure: Failure }

/** What the worker is started with. */
export interface WorkerSettings {
  readonly file: string
  readonly domains: readonly StoreDomain[]
  readonly durability: 'full' | 'normal'
  readonly groupSize: number
  readonly onDamage: 'refuse' | 'restore' | 'discard'
  /** Give space that is free for long back to the disk. */
  readonly shrinks: boolean
  /** Also compare the tables with their declarations: for tests. */
  readonly checksSchema: boolean
}

export interface BackupJob {
  readonly file: string
  /** Most backups afterwards. */
  readonly keep: number
  /** When it is made, Unix ms; the backup bears it as its time of modification. */
  readonly timeMs: number
}

export type BackupOutcome = { readonly ok: true } | { readonly ok: false; readonly failure: Failure }

export type ToWorker = { readonly kind: 'requests'; readonly requests: readonly Request[] } | { readonly kind: 'close' }

/** Answers; `writes` of them became durable by one commit that took `milliseconds`. No writes: only reads were served. */
export interface Results {
  readonly kind: 'results'
  readonly results: readonly Result[]
  readonly writes: number
  readonly milliseconds: number
}

export type FromWorker =
  | {
      readonly kind: 'ready'
      readonly applied: readonly string[]
      readonly incarnation: number
      readonly recovered?: Recovery
    }
  | { readonly kind: 'unusable'; readonly failure: Failure }
  | Results
  | { readonly kind: 'closed' }
