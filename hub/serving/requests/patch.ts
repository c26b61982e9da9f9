import type { Json, JsonObject } from '../../../schemas/index.ts'
import { goText } from '../../kube/fields/index.ts'
import { isApiObject, isJsonObject, textAt } from '../../kube/object/index.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, PatchError } from '../../kube/patch/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { decodingError } from '../../kube/schema/index.ts'
import {
  badRequest,
  failure,
  invalid,
  invalidPatch,
  type StatusError,
  unreasoned,
  unsupportedMediaType,
} from '../../kube/status.ts'
import { parseMediaType } from '../answers/negotiate.ts'
import { type Body, decodeJson, decodePatch } from './body.ts'
import { builtinOf, missingKind, typeInGo, typeMetaOf, whyOtherKind } from './body-kind.ts'

const JSON_PATCH = 'application/json-patch+json'
const MERGE_PATCH = 'application/merge-patch+json'
const APPLY_PATCH = 'application/apply-patch+yaml'
const UNDECODED = 'error decoding patch: '
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json'

/** How the body of a PATCH changes an object of this kind. Throws a Status for a body that can change none. */
export function patchOf(definition: ResourceDefinition, body: Body): (current: ApiObject) => ApiObject {
  const type = parseMediaType(body.type).type
  const accepted = definition.custom ? [JSON_PATCH, MERGE_PATCH] : [JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH]
  if (!accepted.includes(type)) {
    if (definition.custom) throw unsupportedMediaType([...accepted, APPLY_PATCH])
    throw failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
  }
  const patch = decodePatch(body, type === MERGE_PATCH ? UNDECODED : '')
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
    if (!isJsonObject(patch)) {
      const why = `json: cannot unmarshal ${typeInGo(patch)} into Go value of type map[string]interface {}`
      throw badRequest(`${type === MERGE_PATCH ? UNDECODED : ''}${why}`)
    }
    if (type === MERGE_PATCH) return applyMergePatch(current, patch)
    const { apiVersion, kind } = current
    // Upstream patches the structure of the kind, which has no room for another one.
    return { ...applyStrategicMergePatch(definition.schema, current, patch), apiVersion, kind }
  } catch (error) {
    if (!(error instanceof PatchError)) throw error
    // As upstream: what in the patch did not fit is not told.
    if (error.status === 422)
      throw failure(422, 'Invalid', 'the server rejected our request due to an error in our request', {})
    if (error.status === 500) throw unreasoned(error.text, error)
    throw failure(error.status, error.status === 413 ? 'RequestEntityTooLarge' : 'BadRequest', error.text)
  }
}

/** Throws a Status where what the patch made is no object of the kind. */
function patched(definition: ResourceDefinition, current: ApiObject, value: Json): ApiObject {
  const object = isJsonObject(value) ? ofOwnKind(definition, current, value) : undefined
  if (isApiObject(object)) {
    const wrong = definition.custom ? undefined : decodingError(definition, object)
    if (wrong === undefined) return object
    throw undecodable(object, wrong)
  }
  throw invalid(definition, String(current.metadata['name'] ?? ''), [
    { reason: 'FieldValueInvalid', message: 'the patch removes what every object has', field: 'metadata' },
  ])
}

function ofOwnKind(definition: ResourceDefinition, current: ApiObject, value: JsonObject): JsonObject {
  if (!definition.custom) {
    const named = { ...value, ...typeMetaOf(value, definition) }
    const why = whyOtherKind(named, definition)
    if (why === undefined) return named
    // It is read as what it says that it is before it is found to be something else.
    const other = builtinOf(named)
    const wrong = other && isApiObject(named) ? decodingError(other, named) : undefined
    throw wrong === undefined ? invalidPatch(JSON.stringify(value), why) : undecodable(value, wrong)
  }
  const apiVersion = textAt(value, 'apiVersion')
  const text = JSON.stringify(value)
  if (textAt(value, 'kind') === '') throw invalidPatch(text, missingKind(text))
  if (apiVersion === current.apiVersion) return value
  const message = `Invalid value: ${JSON.stringify(apiVersion)}: must be ${current.apiVersion}`
  const name = String(current.metadata['name'] ?? '')
  throw invalid(definition, name, [{ reason: 'FieldValueInvalid', message, field: 'apiVersion' }])
}

/** In Kubernetes' words: the whole patched object is the invalid value. */
function undecodable(value: JsonObject, wrong: string): StatusError {
  return invalidPatch(JSON.stringify(value), wrong.replace(/^.*? cannot be handled as a \S+: /, ''))
}
