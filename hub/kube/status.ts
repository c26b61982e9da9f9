import { SkerryError } from '../../platform/lifecycle/index.ts'

/** Why a request failed, in the words of the Kubernetes API (metav1.StatusReason). */
export type StatusReason =
  | 'AlreadyExists'
  | 'BadRequest'
  | 'Conflict'
  | 'Expired'
  | 'Forbidden'
  | 'InternalError'
  | 'Invalid'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'NotFound'
  | 'RequestEntityTooLarge'
  | 'ServiceUnavailable'
  | 'Timeout'
  | 'TooManyRequests'
  | 'Unauthorized'
  | 'UnsupportedMediaType'

export interface StatusCause {
  readonly reason?: string
  readonly message: string
  readonly field?: string
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  /** The plural name of the resource, or the kind for Invalid. */
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** `v1.Status`: how a Kubernetes API answers when the answer is no object. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  /** Empty but for a list that may go on elsewhere. */
  readonly metadata: { readonly continue?: string }
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: StatusReason
  readonly details?: StatusDetails
  readonly code: number
}

/** What a resource is called in a Status. */
export interface ResourceName {
  readonly group: string
  readonly plural: string
}

/** Ends a request with a Status. The message is the Status's, because clients print it. */
export class StatusError extends SkerryError {
  readonly status: Status

  constructor(status: Status, cause?: unknown) {
    super(status.message ?? 'The request was answered with a Status', {
      code: 'HUB_API_STATUS',
      fields: { reason: status.reason, status: status.code },
      cause,
    })
    this.status = status
  }
}

export function success(details?: StatusDetails): Status {
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    ...(details === undefined ? {} : { details }),
    code: 200,
  }
}

export function failure(code: number, reason: StatusReason, message: string, details?: StatusDetails): StatusError {
  return new StatusError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  })
}

export function notFound(resource: ResourceName, name: string): StatusError {
  return failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, detailsOf(resource, name))
}

/** A patch that makes no object of its kind: upstream names no kind then. */
export function invalidPatch(shown: string, why: string): StatusError {
  const message = `Invalid value: ${JSON.stringify(shown)}: ${why}`
  return failure(422, 'Invalid', ` "" is invalid: patch: ${message}`, {
    causes: [{ reason: 'FieldValueInvalid', message, field: 'patch' }],
  })
}

/** The path leads nowhere. */
export function unknownPath(): StatusError {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {})
}

export function alreadyExists(resource: ResourceName, name: string): StatusError {
  return failure(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, detailsOf(resource, name))
}

export function conflict(resource: ResourceName, name: string, why: string): StatusError {
  const message = `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`
  return failure(409, 'Conflict', message, detailsOf(resource, name))
}

/** Somebody changed the object since the caller read it. */
export function modified(resource: ResourceName, name: string): StatusError {
  const why = 'the object has been modified; please apply your changes to the latest version and try again'
  return conflict(resource, name, why)
}

/** An object that breaks its rules; each cause names a field. */
export function invalid(
  resource: { readonly group: string; readonly kind: string },
  name: string,
  causes: readonly StatusCause[],
): StatusError {
  const texts = causes.map(({ field, message }) => (field ? `${field}: ${message}` : message))
  const list = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  const kind = resource.group === '' ? resource.kind : `${resource.kind}.${resource.group}`
  return failure(422, 'Invalid', `${kind} "${name}" is invalid: ${list}`, {
    ...(name === '' ? {} : { name }),
    ...(resource.group === '' ? {} : { group: resource.group }),
    ...(resource.kind === '' ? {} : { kind: resource.kind }),
    causes,
  })
}

export function badRequest(message: string): StatusError {
  return failure(400, 'BadRequest', message)
}

export function forbidden(resource: ResourceName | undefined, name: string, why: string): StatusError {
  if (resource === undefined) return failure(403, 'Forbidden', `forbidden: ${why}`, {})
  const object = name === '' ? '' : ` "${name}"`
  const message = `${qualified(resource)}${object} is forbidden: ${why}`
  return failure(403, 'Forbidden', message, detailsOf(resource, name))
}

export function unauthorized(): StatusError {
  return failure(401, 'Unauthorized', 'Unauthorized')
}

/** The same whatever was asked: an API server finds no handler, and does not know for what. */
export function methodNotAllowed(): StatusError {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

export function notAcceptable(accepted: readonly string[]): StatusError {
  const message = `only the following media types are accepted: ${accepted.join(', ')}`
  return failure(406, 'NotAcceptable', message)
}

export function unsupportedMediaType(accepted: readonly string[], why?: string): StatusError {
  const types = `accepted media types include: ${accepted.join(', ')}`
  const message = `${why ?? 'the body of the request was in an unknown format'} - ${types}`
  return failure(415, 'UnsupportedMediaType', message)
}

export function tooLarge(limitBytes: number): StatusError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`)
}

/** The version asked for is no longer remembered: the client has to list again, or to go on elsewhere. */
export function expired(message: string, goOn?: string): StatusError {
  const { status } = failure(410, 'Expired', message)
  return new StatusError(goOn === undefined ? status : { ...status, metadata: { continue: goOn } })
}

/** The version asked for has not been reached yet. */
export function tooLargeVersion(version: number, current: number): StatusError {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}

export function tooManyRequests(why: string): StatusError {
  return failure(429, 'TooManyRequests', why, { retryAfterSeconds: 1 })
}

export function unavailable(why: string, cause?: unknown): StatusError {
  return new StatusError(failure(503, 'ServiceUnavailable', why, { retryAfterSeconds: 1 }).status, cause)
}

export function internalError(why: string, cause?: unknown): StatusError {
  const message = `Internal error occurred: ${why}`
  return new StatusError(failure(500, 'InternalError', message, { causes: [{ message: why }] }).status, cause)
}

/** What upstream answers with 500, and no reason. */
export function unreasoned(message: string, cause?: unknown): StatusError {
  const status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code: 500 } as const
  return new StatusError(status, cause)
}

/** `devices.devices.kubeedge.io`, `configmaps`. */
export function qualified({ group, plural }: ResourceName): string {
  return group === '' ? plural : `${plural}.${group}`
}

function detailsOf({ group, plural }: ResourceName, name: string): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural }
}
