import { ConflictError, RefusedError, type SkerryError, UnavailableError } from '../../../platform/lifecycle/index.ts'
import { isRecord } from './guards.ts'

/** What the API answered, as the error that says what a caller may do. */
export function errorOfStatus(status: number, body: unknown, fields: Readonly<Record<string, unknown>>): SkerryError {
  const reason = isRecord(body) && typeof body['reason'] === 'string' ? body['reason'] : reasonOf(status)
  const detail = isRecord(body) && typeof body['message'] === 'string' ? body['message'] : ''
  const details = { code: '', fields: { ...fields, status, reason, detail } }
  if (status === 409) {
    return new ConflictError('Kubernetes reports a conflict', { ...details, code: 'HUB_KUBERNETES_CONFLICT' })
  }
  if (status === 429 || status >= 500) {
    return new UnavailableError('Kubernetes cannot answer now', { ...details, code: 'HUB_KUBERNETES_UNAVAILABLE' })
  }
  return new RefusedError('Kubernetes refused the request', { ...details, code: 'HUB_KUBERNETES_REFUSED' })
}

/** Somebody answered for the API: a gateway before it, say, with a page for people. Nothing follows from such an answer. */
export function strangeAnswer(fields: Readonly<Record<string, unknown>>): UnavailableError {
  const detail = 'the answer is none of a Kubernetes API: does something else answer at its address?'
  return new UnavailableError('Kubernetes cannot answer now', {
    code: 'HUB_KUBERNETES_UNAVAILABLE',
    fields: { ...fields, reason: 'Malformed', detail },
  })
}

/** `reason` of the API's Status behind an error: `NotFound`, `AlreadyExists`, `Expired`, ... */
export function reasonOfError(error: unknown): string | undefined {
  const fields = error instanceof Error && 'fields' in error ? error.fields : undefined
  return isRecord(fields) && typeof fields['reason'] === 'string' ? fields['reason'] : undefined
}

/**
 * Whether a watch cannot begin where it was told to, so that a list has to come first: the version is too old, or greater than all
 * that the API has, because it went back to a backup. API servers call the latter a timeout.
 */
export function isVersionLost(error: unknown): boolean {
  const reason = reasonOfError(error)
  return reason === 'Expired' || reason === 'Gone' || detailOfError(error).startsWith('Too large resource version')
}

/** How long the API asked to be left alone, ms; nothing where it did not say. */
export function retryAfterOf(error: unknown): number | undefined {
  const fields = error instanceof Error && 'fields' in error ? error.fields : undefined
  return isRecord(fields) && typeof fields['retryAfterMs'] === 'number' ? fields['retryAfterMs'] : undefined
}

/** The API's own sentence behind an error, for people; empty where there is none. */
export function detailOfError(error: unknown): string {
  const fields = error instanceof Error && 'fields' in error ? error.fields : undefined
  return isRecord(fields) && typeof fields['detail'] === 'string' ? fields['detail'] : ''
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  422: 'Invalid',
  429: 'TooManyRequests',
}

function reasonOf(status: number): string {
  return REASONS[status] ?? (status >= 500 ? 'InternalError' : 'Unknown')
}
