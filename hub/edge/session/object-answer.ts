import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isObject } from '../json.ts'

/** What an answer says: the object, or why not. */
export type ObjectOutcome =
  | { readonly ok: true; readonly object: Json }
  /** A Status of Kubernetes; its reason, such as `NotFound`, where it has one. */
  | { readonly ok: false; readonly reason: string; readonly message: string }

/** Answers of the form {Object, Err}, {ErrStatus}, or bare ones. */
export function objectAnswer(content: Json): ObjectOutcome {
  if (!isObject(content)) return { ok: true, object: content }
  const { Err: err } = content
  if (isObject(err)) return failed(isObject(err['ErrStatus']) ? err['ErrStatus'] : err)
  if (typeof err === 'string') return { ok: false, reason: 'Unknown', message: err }
  if (isObject(content['ErrStatus'])) return failed(content['ErrStatus'])
  return { ok: true, object: 'Object' in content && 'Err' in content ? (content['Object'] ?? null) : content }
}

function failed({ reason, message }: JsonObject): ObjectOutcome {
  return {
    ok: false,
    reason: typeof reason === 'string' && reason !== '' ? reason : 'Unknown',
    message: typeof message === 'string' ? message : '',
  }
}
