import type { Json } from '../../../schemas/index.ts'
import { goText } from '../../kube/fields/index.ts'
import { isApiObject, isJsonObject } from '../../kube/object/index.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, PatchError } from '../../kube/patch/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { decodingError } from '../../kube/schema/index.ts'
import { badRequest, failure, invalid, invalidPatch, unsupportedMediaType } from '../../kube/status.ts'
import { type Body, decodeJson } from './body.ts'
import { parseMediaType } from './negotiate.ts'

const JSON_PATCH = 'application/json-patch+json'
const MERGE_PATCH = 'application/merge-patch+json'
const APPLY_PATCH = 'application/apply-patch+yaml'
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'

/** How the body of a PATCH changes an object of this kind. Throws a Status for a body that can change none. */
export function patchOf(definition: ResourceDefinition, body: Body): (current: ApiObject) => ApiObject {
  const type = parseMediaType(body.type).type
  const accepted = definition.custom ? [JSON_PATCH, MERGE_PATCH] : [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH]
  if (!accepted.includes(type)) {
    if (definition.custom) throw unsupportedMediaType([...accepted, APPLY_PATCH])
    throw failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
  }
  const patch = decodeJson(body)
  return (current) => patched(definition, current, patchedValue(definition, type, current, patch))
}

/** What an error shows of a patch: the patch itself, or what came of it. */
export function shownPatch(body: Body): (patched: ApiObject) => string {
  if (parseMediaType(body.type).type !== STRATEGIC_PATCH) return (patched) => JSON.stringify(patched)
  return () => goText(decodeJson(body), false)
}

function patchedValue(definition: ResourceDefinition, type: string, current: ApiObject, patch: Json): Json {
  try {
    if (type === JSON_PATCH) return applyJsonPatch(current, patch)
    if (!isJsonObject(patch))
      throw badRequest(`json: cannot unmarshal ${typeInGo(patch)} into Go value of type map[string]interface {}`)
    if (type === MERGE_PATCH) return applyMergePatch(current, patch)
    return applyStrategicMergePatch(definition.schema, current, patch)
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    // As upstream: what in the patch did not fit is not told.
    if (error.status === 422)
      throw failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
    throw failure(error.status, error.status === 413 ? 'RequestEntityTooLarge' : 'BadRequest', error.text)
  }
}

function typeInGo(value: Json): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

function patched(definition: ResourceDefinition, current: ApiObject, value: Json): ApiObject {
  if (isApiObject(value)) {
    const wrong = definition.custom ? undefined : decodingError(definition, value)
    if (wrong === undefined) return value
    // In Kubernetes' words: the whole patched object is the invalid value.
    throw invalidPatch(JSON.stringify(value), wrong.replace(/^.*?: (?=json: )/, ''))
  }
  throw invalid(definition, String(current.metadata['name'] ?? ''), [
    { reason: 'FieldValueInvalid', message: 'the patch removes what every object has', field: 'metadata' },
  ])
}
