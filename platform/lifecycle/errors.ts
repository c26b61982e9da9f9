/** What a catcher may do: wait and try again, or not. */
export type Retry = 'backoff' | 'never'

export interface ErrorDetails {
  readonly code: string
  readonly fields?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** Base of all errors that Skerry makes. The message is a constant sentence, its variables are in `fields`. */
export class SkerryError extends Error {
  readonly code: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly retry: Retry

  constructor(message: string, details: ErrorDetails, retry: Retry = 'never') {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.code = details.code
    this.fields = details.fields ?? {}
    this.retry = retry
  }
}

/** The author of a configuration has to change it. `fields.pointer` is a JSON pointer to the place. */
export class ConfigError extends SkerryError {}

/** Not now; try again later. */
export class UnavailableError extends SkerryError {
  constructor(message: string, details: ErrorDetails) {
    super(message, details, 'backoff')
  }
}

/** Somebody else was faster: read again, then try again. */
export class ConflictError extends SkerryError {
  constructor(message: string, details: ErrorDetails) {
    super(message, details, 'backoff')
  }
}

/** The other side said no, and will say it again. */
export class RefusedError extends SkerryError {}

/** An invariant of ours broke. Crash the module. */
export class BugError extends SkerryError {}

/** Text of anything thrown, with its chain of causes, for logs and conditions. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  let at = error
  // A chain may be a ring.
  for (let depth = 0; at !== undefined && depth < 5; depth++) {
    const text = textOf(at)
    if (!parts.includes(text)) parts.push(text)
    at = at instanceof Error ? at.cause : undefined
  }
  return parts.join(': ')
}

function textOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message || thrown.name
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  // Libraries throw objects that look like errors and are none.
  return 'message' in thrown && typeof thrown.message === 'string' && thrown.message !== ''
    ? thrown.message
    : 'an error without a message'
}
