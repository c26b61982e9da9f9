import { validateBuiltin } from '../../kube/builtin/index.ts'
import { enforceRules, hasRules } from '../../kube/cel/index.ts'
import { nameOf, namespaceOf } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import {
  decodingError,
  type FieldError,
  fieldErrorText,
  omitEmpty,
  prune,
  validateChange,
  validateMetadata,
  validateObject,
} from '../../kube/schema/index.ts'
import { badRequest, invalid, invalidPatch } from '../../kube/status.ts'
import { apiVersionOf } from '../../serving/objects/registry.ts'
import type { Warn } from '../../serving/requests/resource-request.ts'
import type { Change } from './context.ts'

/** The object is of the kind that the URL names. */
export function checkKind(definition: ResourceDefinition, object: ApiObject): void {
  const expected = apiVersionOf(definition)
  if (object.apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${expected})`,
    )
  }
  if (object.kind !== definition.kind) {
    const message = `Invalid value: ${JSON.stringify(object.kind)}: must be ${definition.kind}`
    const { kind } = object
    throw invalid({ ...definition, kind }, nameOf(object), [{ reason: 'FieldValueInvalid', message, field: 'kind' }])
  }
}

/** The object stands where the URL says. An object without a namespace gets the URL's. */
export function placed(
  { definition, namespace }: Pick<Change, 'definition' | 'namespace'>,
  object: ApiObject,
): ApiObject {
  const given = namespaceOf(object)
  if (definition.namespaced && given !== '' && given !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (!definition.namespaced || given === namespace) return object
  return { ...object, metadata: { ...object.metadata, namespace } }
}

/** `isWhole`: a whole object has to say its name. */
export function checkName(object: ApiObject, name: string, isWhole = false): void {
  const given = nameOf(object)
  if (given === '' && isWhole) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  }
  if (given !== '' && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`)
  }
}

/**
 * The object without what says nothing, and without fields that its kind does not have: what becomes of these is the client's choice. `patch`: what an error shows where
 * a patch brought them.
 */
export function knownFields(
  change: Change,
  object: ApiObject,
  duplicates: readonly string[],
  patch?: (object: ApiObject) => string,
): ApiObject {
  const wrong = decodingError(change.definition, object)
  if (wrong !== undefined) throw badRequest(wrong)
  const { object: known, unknown } = prune(change.definition, object)
  const pruned = omitEmpty(change.definition, known)
  if (change.fieldValidation === 'Ignore') return pruned
  const texts = [
    ...unknown.map((field) => `unknown field "${field}"`),
    ...duplicates.map((field) => `duplicate field "${field}"`),
  ]
  if (texts.length === 0) return pruned
  if (change.fieldValidation === 'Strict') {
    if (patch) throw invalidPatch(patch(object), `strict decoding error: ${texts.join(', ')}`)
    const kind = `${change.definition.kind} in version ${JSON.stringify(change.definition.version)}`
    const why = `cannot be handled as a ${change.definition.kind}: strict decoding error: ${texts.join(', ')}`
    throw badRequest(`${kind} ${why}`)
  }
  for (const text of texts) change.warn(text)
  return pruned
}

/**
 * The rules of built-in kinds are looked at in another order than Kubernetes does; by field they come near to it, with what
 * never changes last. Those of events and of webhooks are looked at in its order.
 */
function inOrder({ custom, kind, group }: ResourceDefinition, errors: readonly FieldError[]): readonly FieldError[] {
  if (custom || kind === 'Event' || group === 'admissionregistration.k8s.io') return errors
  const key = ({ field, message }: FieldError) => `${message.endsWith('field is immutable') ? 1 : 0}${field}`
  return [...errors].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

/** Throws an Invalid Status that names each wrong field. */
export function checkFields(
  definition: ResourceDefinition,
  object: ApiObject,
  before: ApiObject | undefined,
  warn: Warn,
): void {
  const metadata = validateMetadata(definition, object.metadata, before?.metadata)
  const errors: readonly FieldError[] = definition.custom
    ? [...metadata, ...customErrors(definition, object, before, warn)]
    : [...metadata, ...validateObject(definition, object), ...validateBuiltin(definition, object, before)]
  if (errors.length === 0) return
  const causes = inOrder(definition, errors).map(({ type, field, message }) => ({ reason: type, message, field }))
  throw invalid(definition, nameOf(object), causes)
}

/** Errors after which the rules of a kind are not asked: they would read what is not there. */
const BLOCKING = new Set<FieldError['type']>([
  'FieldValueNotSupported',
  'FieldValueRequired',
  'FieldValueTooLong',
  'FieldValueTooMany',
  'FieldValueTypeInvalid',
])
const UNCHECKED: FieldError = {
  type: 'FieldValueInvalid',
  field: '<nil>',
  message:
    'Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation',
}

function customErrors(
  definition: ResourceDefinition,
  object: ApiObject,
  before: ApiObject | undefined,
  warn: Warn,
): readonly FieldError[] {
  const errors = before ? validateChange(definition, object, before) : validateObject(definition, object)
  if (!hasRules(definition)) return errors
  if (errors.some(({ type }) => BLOCKING.has(type))) return [...errors, UNCHECKED]
  const outcome = enforceRules(definition, object, before)
  for (const error of outcome.tolerated) warn(fieldErrorText(error))
  return [...errors, ...outcome.errors]
}
