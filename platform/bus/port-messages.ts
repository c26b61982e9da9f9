import {
  BugError,
  ConfigError,
  ConflictError,
  describeError,
  RefusedError,
  SkerryError,
  UnavailableError,
} from '../lifecycle/errors.ts'
import { DeadlineError } from '../time/clock.ts'

/** What travels on the MessagePort between a bus and its extension in a worker; both directions use one set. */
export type PortMessage =
  | { readonly type: 'publish'; readonly channel: string; readonly message: unknown }
  | { readonly type: 'subscribe' | 'unsubscribe' | 'serve' | 'unserve'; readonly channel: string }
  | { readonly type: 'watch'; readonly id: number; readonly channel: string }
  | { readonly type: 'unwatch'; readonly id: number }
  /** Everything that a watched channel holds, once, before its changes. */
  | { readonly type: 'listing'; readonly id: number; readonly entries: readonly (readonly [string, unknown])[] }
  | { readonly type: 'change'; readonly id: number; readonly key: string; readonly value: unknown }
  | { readonly type: 'gone'; readonly id: number; readonly key: string }
  | { readonly type: 'set'; readonly channel: string; readonly key: string; readonly value: unknown }
  | { readonly type: 'remove'; readonly channel: string; readonly key: string }
  | {
      readonly type: 'request'
      readonly id: number
      readonly channel: string
      readonly question: unknown
      readonly milliseconds: number
    }
  | { readonly type: 'cancel'; readonly id: number }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: PortError }
  /** So many messages were taken since the last of these. */
  | { readonly type: 'taken'; readonly count: number }

/** An error as plain data; structured cloning would lose its class and code. */
export interface PortError {
  readonly kind: string
  readonly code: string
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
  /** Text of the causes. */
  readonly cause?: string
}

const KINDS = { BugError, ConfigError, ConflictError, RefusedError, UnavailableError }

/** Both ends are this program in one version, so that the type alone tells the rest. */
export function isPortMessage(value: unknown): value is PortMessage {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
}

export function packError(error: unknown): PortError {
  if (!(error instanceof Error)) return { kind: 'Error', code: '', message: String(error), fields: {} }
  const cause = error.cause === undefined ? {} : { cause: describeError(error.cause) }
  if (!(error instanceof SkerryError))
    return { kind: error.name, code: '', message: error.message, fields: {}, ...cause }
  return { kind: error.name, code: error.code, message: error.message, fields: plain(error.fields), ...cause }
}

/** The error in its class again, so that the catcher may tell what to do. */
export function unpackError({ kind, code, message, fields, cause }: PortError): Error {
  if (kind === 'DeadlineError') return new DeadlineError(message)
  const details = { code, fields, ...(cause === undefined ? {} : { cause: new Error(cause) }) }
  for (const [name, Kind] of Object.entries(KINDS)) if (name === kind) return new Kind(message, details)
  return code === ''
    ? new Error(message, cause === undefined ? undefined : { cause })
    : new SkerryError(message, details)
}

function plain(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  try {
    return structuredClone(fields)
  } catch {
    // Fields are for people; what cannot be cloned is told as text.
    return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, String(value)]))
  }
}
