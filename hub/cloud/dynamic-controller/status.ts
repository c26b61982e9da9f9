import type { JsonObject } from '../../../schemas/index.ts'
import { isJsonObject } from '../kubernetes/guards.ts'
import { detailOfError, reasonOfError } from '../kubernetes/index.ts'

const REASONS: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  413: 'RequestEntityTooLarge',
  429: 'TooManyRequests',
  503: 'ServiceUnavailable',
  504: 'Timeout',
}

/** A Status of Kubernetes that is no success. */
export function failure(code: number, message: string, reason = REASONS[code] ?? 'InternalError'): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
}

/** As the API words it where a user may not do something. */
export function forbidden(node: string, what: string, why: string): JsonObject {
  return failure(403, `${what} is forbidden: node ${node} may not: ${why}`)
}

/** The API's own Status, or one for what it answered instead. */
export function statusOf(code: number, body: unknown): JsonObject {
  if (isJsonObject(body) && body['kind'] === 'Status' && typeof body['code'] === 'number') return body
  return failure(code, `the Kubernetes API answered ${code}`)
}

/** Why a watch or a call of the Kubernetes port failed. */
export function statusOfError(error: unknown): JsonObject {
  const fields: unknown = error instanceof Error && 'fields' in error ? error.fields : undefined
  const given: unknown = Reflect.get(Object(fields), 'status')
  const code = typeof given === 'number' ? given : 503
  const detail = detailOfError(error) || 'the Kubernetes API cannot be reached'
  return failure(code, detail, reasonOfError(error) ?? REASONS[code] ?? 'InternalError')
}
