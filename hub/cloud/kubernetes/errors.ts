import {
  ConfigError,
  ConflictError,
  RefusedError,
  SkerryError,
  UnavailableError,
} from '../../../platform/lifecycle/index.ts'
import { DeadlineError } from '../../../platform/time/index.ts'
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

export interface Answer {
  readonly status: number
  /** What its JSON says; undefined where it is none. */
  readonly body: unknown
  /** As it came, where it came as text. */
  readonly text?: string
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, unknown>>
}

/** What an answer that is no success says. A refusal counts where the API itself gave it, and not a gateway before it. */
export function errorOfAnswer(
  { status, text = '', body, headers }: Answer,
  given: Readonly<Record<string, unknown>>,
): SkerryError {
  const fields = { ...given, ...retryAfter(headers) }
  if (status === 404 && isRecord(body) && body['message'] === NO_PATH && isKindPath(given['path']))
    return notServed(fields)
  if (isRecord(body) || status === 413 || status === 429 || status >= 500) return errorOfStatus(status, body, fields)
  // So servers written in Go answer for a path that they do not have.
  if (status === 404 && text.startsWith('404 page not found')) return notServed(fields)
  return strangeAnswer({ ...fields, status })
}

/** Others say this. Of a subresource that a kind does not have it means no more than that. */
const NO_PATH = 'the server could not find the requested resource'

function isKindPath(path: unknown): boolean {
  return /^\/apis\/[^/?]+\/[^/?]+(\/namespaces\/[^/?]+)?\/[^/?]+(\/[^/?]+)?(\?|$)/.test(String(path))
}

/** API servers that throttle say for how many seconds (RFC 9110 §10.2.3; its form with a date is of no use to machines). */
function retryAfter(headers: Readonly<Record<string, unknown>>): { readonly retryAfterMs?: number } {
  const text = String(headers['retry-after'] ?? '')
  return /^\d{1,6}$/.test(text) ? { retryAfterMs: Number(text) * 1000 } : {}
}

/** The kind is none of the API's, or not in this version. */
function notServed(fields: Readonly<Record<string, unknown>>): RefusedError {
  const [, group = '', version = ''] = /^\/apis\/([^/?]+)\/([^/?]+)/.exec(String(fields['path'])) ?? []
  const what = group === '' ? 'this kind' : `${group}/${version}`
  const remedy = group.endsWith('kubeedge.io') ? ': apply the definitions that "skerry crds" prints' : ''
  return new RefusedError('Kubernetes does not serve this kind', {
    code: 'HUB_KUBERNETES_NOT_SERVED',
    fields: { ...fields, status: 404, reason: 'NotServed', detail: `the API does not serve ${what}${remedy}` },
  })
}

/** What the API has of a kind is older than what is written of it. */
export function outdatedDefinition(fields: Readonly<Record<string, unknown>>, cause?: unknown): ConfigError {
  return new ConfigError('a CustomResourceDefinition is outdated: apply what `skerry crds` prints', {
    code: 'HUB_CRD_OUTDATED',
    fields,
    cause,
  })
}

/** Somebody answered for the API: a gateway before it, say, with a page for people. Nothing follows from such an answer. */
export function strangeAnswer(fields: Readonly<Record<string, unknown>>): UnavailableError {
  const detail = 'the answer is none of a Kubernetes API: does something else answer at its address?'
  return new UnavailableError('Kubernetes cannot answer now', {
    code: 'HUB_KUBERNETES_UNAVAILABLE',
    fields: { ...fields, reason: 'Malformed', detail },
  })
}

/** A watch told nothing, not even that there is nothing to tell. */
export class SilenceError extends Error {
  override readonly name = 'SilenceError'
}

/** Our own errors and the caller's abort pass; all else means that the API could not be reached. */
export function unreachable(error: unknown, signal: AbortSignal | undefined, fields: object): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof Error && 'retry' in error) return error
  const reason = error instanceof SilenceError ? 'Silent' : error instanceof DeadlineError ? 'Late' : 'Unreachable'
  return new UnavailableError('Kubernetes cannot be reached', {
    code: 'HUB_KUBERNETES_UNREACHABLE',
    fields: { ...fields, reason, detail: remedyFor(error) },
    cause: error,
  })
}

/** Whether nothing came from the API at all. */
export function isUnreachable(error: unknown): boolean {
  return ['HUB_KUBERNETES_UNREACHABLE', 'HUB_KUBERNETES_CREDENTIALS'].includes(codeOf(error))
}

/** Whether the two ends do not trust each other's certificates. */
export function isDistrust(error: unknown): boolean {
  const code = codeOf(error)
  return code in REMEDIES || /^ERR_SSL_.*(ALERT|CERT)/.test(code)
}

const BUNDLE = 'the certificate authority of the kubeconfig is not that of the server'
const REMEDIES: Readonly<Record<string, string>> = {
  CERT_NOT_YET_VALID: 'the certificate of the server begins later by the clock of this machine: set the clocks',
  CERT_HAS_EXPIRED: 'the certificate of the server has ended by the clock of this machine: renew it, or set the clocks',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: BUNDLE,
  UNABLE_TO_GET_ISSUER_CERT: BUNDLE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: BUNDLE,
  SELF_SIGNED_CERT_IN_CHAIN: BUNDLE,
  DEPTH_ZERO_SELF_SIGNED_CERT: BUNDLE,
  CERT_SIGNATURE_FAILURE: BUNDLE,
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the server is for other names than the kubeconfig dials',
}

function remedyFor(error: unknown): string {
  return REMEDIES[codeOf(error)] ?? ''
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

/** Few words that say what went wrong, for the labels of metrics. */
export function kindOfTrouble(error: unknown): string {
  const reason = reasonOfError(error) ?? ''
  if (KNOWN.has(reason)) return reason
  if (error instanceof UnavailableError) return 'Unavailable'
  return error instanceof SkerryError ? 'Refused' : 'Other'
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
  return isExpired(error) || detailOfError(error).startsWith('Too large resource version')
}

export function isExpired(error: unknown): boolean {
  const reason = reasonOfError(error)
  return reason === 'Expired' || reason === 'Gone'
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
  413: 'RequestEntityTooLarge',
  422: 'Invalid',
  429: 'TooManyRequests',
}

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(REASONS),
  ...['AlreadyExists', 'Credentials', 'Late', 'Malformed', 'NotServed', 'Silent', 'Unreachable'],
])

function reasonOf(status: number): string {
  return REASONS[status] ?? (status >= 500 ? 'InternalError' : 'Unknown')
}
