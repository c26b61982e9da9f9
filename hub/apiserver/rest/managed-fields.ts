import type { Json } from '../../../schemas/index.ts'
import {
  type Convert,
  decodeManagers,
  encodeManagers,
  type FieldSet,
  fieldPath,
  hasField,
  isReset,
  type Managers,
  NO_FIELDS,
  removeFields,
  sameButTimes,
  setOf,
  trackUpdate,
  type Writer,
} from '../../kube/fields/index.ts'
import { sameJson, timestamp, uidOf, withMetadata } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { at, rootSchema, withIdentity } from '../../kube/schema/index.ts'
import { StatusError } from '../../kube/status.ts'
import { apiVersionOf, resourceOf } from '../../serving/objects/registry.ts'
import { converted } from '../../serving/reading/versions.ts'
import type { ApiContext, Change } from './context.ts'

/** A write that the writer has named, but that admission has not seen yet. */
export interface TrackedWrite {
  readonly subresource: string
  /** Undefined for a new object. */
  readonly before: ApiObject | undefined
  readonly after: ApiObject
  /** metadata.managedFields as the client sent it. */
  readonly given: Json | undefined
}

const STATUS = setOf(fieldPath('status'))
const SPEC = setOf(fieldPath('spec'))
const CUSTOM_STATUS = setOf(fieldPath('spec'), fieldPath('metadata'))
const POD_STATUS = setOf(
  fieldPath('spec'),
  fieldPath('metadata', 'deletionTimestamp'),
  fieldPath('metadata', 'ownerReferences'),
)
const DEPLOYMENT_STATUS = setOf(fieldPath('spec'), fieldPath('metadata', 'labels'))

/** The object with the managers of its fields after a create, an update or a patch. */
export async function tracked(api: ApiContext, change: Change, write: TrackedWrite): Promise<ApiObject> {
  const { definition, manager } = change
  const { subresource, after } = write
  // A binding says where a pod runs; nobody owns that.
  if (subresource === 'binding') return withManagedFields(after, write.before?.metadata['managedFields'])
  const before = write.before ?? { apiVersion: after.apiVersion, kind: after.kind, metadata: {} }
  const managers = managersBefore(write, before)
  // Nobody counted when it was made, or its managers were reset: nobody counts until the first apply.
  if (write.before && !isTracked(definition, subresource, managers)) {
    return withManagedFields(after, encodeManagers(managers))
  }
  const schema = rootSchema(definition.schema)
  const next = await trackUpdate(
    {
      before: { schema, object: scaled(before, definition, subresource) },
      after: scaled(after, definition, subresource),
      apiVersion: apiVersionOf(definition),
      convert: converterOf(api, change),
      excluded: excludedFields(definition, subresource),
    },
    managers,
    writerOf(api, manager, subresource),
  )
  return withManagers(after, next, before)
}

export function writerOf({ clock }: Pick<ApiContext, 'clock'>, name: string, subresource: string): Writer {
  return { name, subresource, time: subresource === 'scale' ? undefined : timestamp(clock.now()) }
}

/** A Scale has the managers of the replicas alone. */
function isTracked({ scale }: ResourceDefinition, subresource: string, managers: Managers): boolean {
  if (subresource !== 'scale' || !scale) return managers.size > 0
  const path = fieldPath(...scale.specReplicas)
  return [...managers.values()].some(({ fields }) => hasField(fields, path))
}

/** The object with these managers; where only their times are others than before, they stay, so that nothing is written. */
export function withManagers(object: ApiObject, managers: Managers, before: ApiObject): ApiObject {
  const present = before.metadata['managedFields']
  const old = decodeManagers(present)
  if (old && sameButTimes(old, managers) && sameJson(apart(object), apart(before))) {
    return withManagedFields(object, present)
  }
  return withManagedFields(object, old === managers ? present : encodeManagers(managers))
}

/** Fields that a way of writing leaves as they are, whatever a client sends: so nobody owns them by it. */
export function excludedFields(definition: ResourceDefinition, subresource: string): FieldSet {
  const { custom, kind, statusSubresource } = definition
  if (subresource === '' || subresource === 'finalize') return statusSubresource ? STATUS : NO_FIELDS
  if (subresource !== 'status') return NO_FIELDS
  if (custom) return CUSTOM_STATUS
  if (kind === 'Pod') return POD_STATUS
  return kind === 'Deployment' ? DEPLOYMENT_STATUS : SPEC
}

/** Shows objects of one kind in the versions that its managers wrote; never fails. */
export function converterOf(api: ApiContext, { definition, signal }: Change): Convert {
  return async (object, apiVersion) => {
    const version = api.registry.findKind(apiVersion, definition.kind)
    if (!version || resourceOf(version) !== resourceOf(definition)) return undefined
    const schema = rootSchema(version.schema)
    // What is not made yet is nobody's to convert.
    if (uidOf(object) === '') return { schema, object: { ...object, apiVersion } }
    try {
      return { schema, object: await converted(api, object, version, signal) }
    } catch (error) {
      if (error instanceof StatusError) return undefined
      throw error
    }
  }
}

export function withManagedFields(object: ApiObject, managedFields: Json | undefined): ApiObject {
  return object.metadata['managedFields'] === managedFields ? object : withMetadata(object, { managedFields })
}

/** A client may say itself who owns what, but not by a subresource; what cannot be is taken for nothing said. */
function managersBefore({ subresource, given }: TrackedWrite, before: ApiObject): Managers {
  const present = before.metadata['managedFields']
  if (subresource === '' && given !== present) {
    if (isReset(given)) return new Map()
    const said = decodeManagers(given)
    if (said && said.size > 0 && !sameJson(given, present)) return said
  }
  return decodeManagers(present) ?? new Map()
}

/** In a Scale no replicas are no field, and so nobody's. */
function scaled(object: ApiObject, { scale }: ResourceDefinition, subresource: string): ApiObject {
  const path = scale?.specReplicas
  if (subresource !== 'scale' || !path || at(object, ...path) !== 0) return object
  return withIdentity(removeFields({}, object, setOf(fieldPath(...path))), object)
}

function apart(object: ApiObject): ApiObject {
  return withManagedFields(object, undefined)
}
