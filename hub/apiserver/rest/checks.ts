import { validateBuiltin } from '../../kube/builtin/index.ts'
import { nameOf, namespaceOf } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { decodingError, type FieldError, prune, validateMetadata, validateObject } from '../../kube/schema/index.ts'
import { badRequest, invalid } from '../../kube/status.ts'
import type { Change } from './context.ts'
import { apiVersionOf } from './registry.ts'

/** The object is of the kind that the URL names. */
export function checkKind(definition: ResourceDefinition, object: ApiObject): void {
  const expected = apiVersionOf(definition)
  if (object.apiVersion !== expected) {
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${expected})`,
    )
  }
  if (object.kind !== definition.kind) {
    throw badRequest(`the kind in the data (${object.kind}) does not match the expected kind (${definition.kind})`)
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

export function checkName(object: ApiObject, name: string): void {
  const given = nameOf(object)
  if (given !== '' && given !== name) {
    throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`)
  }
}

/** The object without fields that its kind does not have; what becomes of them is the client's choice. */
export function knownFields(change: Change, object: ApiObject, duplicates: readonly string[]): ApiObject {
  const wrong = decodingError(change.definition, object)
  if (wrong !== undefined) throw badRequest(wrong)
  const { object: pruned, unknown } = prune(change.definition, object)
  if (change.fieldValidation === 'Ignore') return pruned
  const texts = [
    ...unknown.map((field) => `unknown field "${field}"`),
    ...duplicates.map((field) => `duplicate field "${field}"`),
  ]
  if (texts.length === 0) return pruned
  if (change.fieldValidation === 'Strict') {
    const kind = `${change.definition.kind} in version ${JSON.stringify(change.definition.version)}`
    const why = `cannot be handled as a ${change.definition.kind}: strict decoding error: ${texts.join(', ')}`
    throw badRequest(`${kind} ${why}`)
  }
  for (const text of texts) change.warn(text)
  return pruned
}

/**
 * The rules of built-in kinds are looked at in another order than Kubernetes does; by field they come near to it, with what
 * never changes last.
 */
function inOrder({ custom }: ResourceDefinition, errors: readonly FieldError[]): readonly FieldError[] {
  if (custom) return errors
  const key = ({ field, message }: FieldError) => `${message.endsWith('field is immutable') ? 1 : 0}${field}`
  return [...errors].sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0))
}

/** Throws an Invalid Status that names each wrong field. */
export function checkFields(definition: ResourceDefinition, object: ApiObject, before: ApiObject | undefined): void {
  const errors: readonly FieldError[] = [
    ...validateMetadata(definition, object.metadata, before?.metadata),
    ...validateObject(definition, object),
    ...(definition.custom ? [] : validateBuiltin(definition, object, before)),
  ]
  if (errors.length === 0) return
  const causes = inOrder(definition, errors).map(({ type, field, message }) => ({ reason: type, message, field }))
  throw invalid(definition, nameOf(object), causes)
}
