import { prepareForPart, prepareForUpdate } from '../../kube/builtin/index.ts'
import { decodeManagers } from '../../kube/fields/index.ts'
import {
  finalizersOf,
  isDeleting,
  nameOf,
  resourceVersionOf,
  sameJson,
  uidOf,
  withContent,
  withMetadata,
} from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { applyDefaults } from '../../kube/schema/index.ts'
import { conflict, invalid, modified, notFound } from '../../kube/status.ts'
import { keyOf, registryKey, resourceOf } from '../../serving/objects/registry.ts'
import { converted } from '../../serving/reading/versions.ts'
import { checkFields, checkKind, checkName, knownFields, placed } from './checks.ts'
import type { ApiContext, Change } from './context.ts'
import { isFinished } from './finalizers.ts'
import { nextGeneration } from './generation.ts'
import { tracked, withManagedFields, withManagers } from './managed-fields.ts'

/** Which object, and which part of it. */
export interface Target {
  readonly name: string
  /** Empty, `status`, `scale`, `binding` of a pod, or `finalize` of a namespace. */
  readonly subresource: string
}

export interface Edit {
  /** The object as the client wants it, from the present one. May throw a Status. */
  readonly propose: (current: ApiObject) => ApiObject | Promise<ApiObject>
  readonly duplicates?: readonly string[]
  /** What an error shows of a patch. */
  readonly patch?: (patched: ApiObject) => string
  /** A whole object came without resourceVersion: kinds that do not allow it refuse. */
  readonly isWhole?: boolean
  /** Its managers are in what is proposed, as it comes by an apply. */
  readonly isApplied?: boolean
}

/** Metadata that only the server writes. */
const SYSTEM_FIELDS = [
  'uid',
  'name',
  'namespace',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'selfLink',
  'generateName',
] as const

/** Changes an object; it is durable when this resolves (never with dryRun). Throws a Status. */
export async function updateObject(api: ApiContext, change: Change, target: Target, edit: Edit): Promise<ApiObject> {
  const { definition, namespace } = change
  const resource = resourceOf(definition)
  const stored = api.registry.stored(resource) ?? definition
  let answer: ApiObject | undefined
  const kept = await api.store.change(resource, keyOf(namespace, target.name), async (current) => {
    if (!current) throw notFound(definition, target.name)
    change.signal.throwIfAborted()
    const before = await converted(api, current, definition, change.signal)
    const next = await nextState(api, change, target, edit, before)
    answer = next
    if (sameJson(next, before)) return current
    const changed = await converted(api, next, stored, change.signal)
    if (change.dryRun) return current
    return isFinished(changed) ? undefined : changed
  })
  // The last state of an object that ended with this change has no newer version to show.
  if (kept && !change.dryRun) return await converted(api, kept, definition, change.signal)
  return answer ?? notFoundNever(definition, target.name)
}

async function nextState(
  api: ApiContext,
  change: Change,
  target: Target,
  edit: Edit,
  before: ApiObject,
): Promise<ApiObject> {
  const { definition } = change
  const proposed = await edit.propose(before)
  checkKind(definition, proposed)
  checkName(proposed, target.name, edit.isWhole)
  const given = knownFields(change, placed(change, proposed), edit.duplicates ?? [], edit.patch)
  checkVersion(definition, target.name, given, before, edit.isWhole === true)
  const settled = settle(definition, target.subresource, withSystemFields(given, before), before)
  const fresh = await withOwners(api, change, target, edit, { given, settled, before })
  const { managedFields } = fresh.metadata
  const admission = {
    operation: 'UPDATE',
    definition,
    subresource: target.subresource,
    namespace: change.namespace,
    name: target.name,
    before,
    dryRun: change.dryRun,
    user: change.user,
  } as const
  const mutated = await api.admitter.mutate({ ...admission, object: fresh }, change.warn, change.signal)
  const object = mutated
    ? withManagedFields(
        settle(definition, target.subresource, withSystemFields(mutated, before), before),
        managedFields,
      )
    : fresh
  checkFinalizers(definition, object, before)
  // A binding changes what nobody else may change: it is judged as if it were new.
  checkFields(definition, object, target.subresource === 'binding' ? undefined : before, change.warn)
  await api.admitter.validate({ ...admission, object }, change.warn, change.signal)
  return object
}

interface Settled {
  readonly given: ApiObject
  readonly settled: ApiObject
  readonly before: ApiObject
}

async function withOwners(
  api: ApiContext,
  change: Change,
  { subresource }: Target,
  edit: Edit,
  { given, settled, before }: Settled,
): Promise<ApiObject> {
  const { managedFields } = given.metadata
  if (!edit.isApplied) return await tracked(api, change, { subresource, before, after: settled, given: managedFields })
  return withManagers(settled, decodeManagers(managedFields) ?? new Map(), before)
}

/** Keeps the part that this request may not write, and counts. */
function settle(definition: ResourceDefinition, subresource: string, object: ApiObject, before: ApiObject): ApiObject {
  const next = partOf(definition, subresource, object, before)
  return withMetadata(next, { generation: nextGeneration(definition, next, before) })
}

function partOf(definition: ResourceDefinition, subresource: string, object: ApiObject, before: ApiObject): ApiObject {
  const own = definition.custom ? undefined : prepareForPart(definition, subresource, object, before)
  if (own) return own
  if (subresource === 'status') {
    const status = object['status']
    const metadata = definition.custom ? before.metadata : object.metadata
    return withContent({ ...before, metadata }, { status })
  }
  if (subresource === 'binding') return object
  if (subresource === 'finalize') return withContent(before, { spec: object['spec'] })
  const kept = definition.statusSubresource ? withContent(object, { status: before['status'] }) : object
  return definition.custom ? applyDefaults(definition, kept) : prepareForUpdate(definition, kept, before)
}

function withSystemFields(object: ApiObject, before: ApiObject): ApiObject {
  const system = Object.fromEntries(SYSTEM_FIELDS.map((field) => [field, before.metadata[field]]))
  return withMetadata(object, {
    ...system,
    resourceVersion: resourceVersionOf(before),
    managedFields: undefined,
  })
}

function checkVersion(
  definition: ResourceDefinition,
  name: string,
  given: ApiObject,
  before: ApiObject,
  isWhole: boolean,
): void {
  const uid = uidOf(given)
  if (uid !== '' && uid !== uidOf(before)) {
    if (!isWhole) {
      const message = `Invalid value: ${JSON.stringify(uid)}: field is immutable`
      throw invalid(definition, name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.uid' }])
    }
    const failed = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${uidOf(before)}`
    const where = `Code: 4, Key: ${registryKey(definition, before)}, ResourceVersion: 0, AdditionalErrorMsg: ${failed}`
    throw conflict(definition, name, `StorageError: invalid object, ${where}`)
  }
  const version = resourceVersionOf(given)
  if (version === '' && isWhole && definition.custom) {
    const message = 'Invalid value: 0x0: must be specified for an update'
    throw invalid(definition, name, [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }])
  }
  if (version !== '' && version !== '0' && version !== resourceVersionOf(before)) throw modified(definition, name)
}

function checkFinalizers(definition: ResourceDefinition, object: ApiObject, before: ApiObject): void {
  if (!isDeleting(before)) return
  const added = finalizersOf(object).filter((finalizer) => !finalizersOf(before).includes(finalizer))
  if (added.length === 0) return
  const list = added.map((finalizer) => JSON.stringify(finalizer)).join(', ')
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{${list}}`
  throw invalid(definition, nameOf(object), [{ reason: 'FieldValueForbidden', message, field: 'metadata.finalizers' }])
}

function notFoundNever(definition: ResourceDefinition, name: string): never {
  throw notFound(definition, name)
}
