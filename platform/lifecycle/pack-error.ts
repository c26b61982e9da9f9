import { DeadlineError } from '../time/clock.ts'
import {
  BugError,
  ConfigError,
  ConflictError,
  describeError,
  RefusedError,
  SkerryError,
  UnavailableError,
} from './errors.ts'

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

export function packError(error: unknown): PortError {
  if (!(error instanceof Error)) return { kind: 'Error', code: '', message: describeError(error), fields: {} }
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
