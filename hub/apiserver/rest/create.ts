import type { Json } from '../../../schemas/index.ts'
import { prepareForCreate, withKindDefaults } from '../../kube/builtin/index.ts'
import {
  generateName,
  isDeleting,
  nameOf,
  resourceVersionOf,
  textAt,
  timestamp,
  withContent,
  withMetadata,
} from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { applyDefaults } from '../../kube/schema/index.ts'
import { alreadyExists, badRequest, failure, forbidden, notFound, StatusError } from '../../kube/status.ts'
import { keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { converted } from '../../serving/reading/versions.ts'
import { checkFields, checkKind, knownFields, placed } from './checks.ts'
import type { ApiContext, Change } from './context.ts'
import { hasGeneration } from './generation.ts'
import { tracked, withManagedFields } from './managed-fields.ts'
import { CRD_RESOURCE } from './remove.ts'

/** Of names that were generated and were taken. */
const MOST_TRIES = 8

const NAMESPACE = { group: '', plural: 'namespaces' } as const

export interface Making {
  readonly duplicates?: readonly string[]
  /** Its managers are in it, as it comes by an apply. */
  readonly isApplied?: boolean
}

/** Makes an object; it is durable when this resolves (never with dryRun). Throws a Status. */
export async function createObject(
  api: ApiContext,
  change: Change,
  body: ApiObject,
  { duplicates = [], isApplied = false }: Making = {},
): Promise<ApiObject> {
  checkKind(change.definition, body)
  const given = knownFields(change, placed(change, body), duplicates)
  if (resourceVersionOf(given) !== '') throw badRequest('resourceVersion should not be set on objects to be created')
  const isGenerated = nameOf(given) === '' && textAt(given.metadata, 'generateName') !== ''
  for (let tries = 1; ; tries++) {
    try {
      return await createNamed(api, change, isGenerated ? withGeneratedName(api, given) : given, isApplied)
    } catch (error) {
      if (!isGenerated || tries >= MOST_TRIES || !isTaken(error)) throw error
    }
  }
}

async function createNamed(api: ApiContext, change: Change, given: ApiObject, isApplied: boolean): Promise<ApiObject> {
  const { definition, namespace } = change
  const full = withDefaults(api, definition, given)
  const owned = isApplied ? full : await withOwners(api, change, full)
  const fresh = prepare(definition, owned)
  const name = nameOf(fresh)
  const admission = { operation: 'CREATE', definition, subresource: '', namespace, name, before: undefined } as const
  const asked = { ...admission, object: fresh, dryRun: change.dryRun, user: change.user }
  const mutated = (await api.admitter.mutate(asked, change.warn, change.signal)) ?? fresh
  const object = withManagedFields(mutated, fresh.metadata['managedFields'])
  checkFields(definition, object, undefined, change.warn)
  await api.admitter.validate({ ...asked, object }, change.warn, change.signal)
  const stored = api.registry.stored(resourceOf(definition)) ?? definition
  const kept = await converted(api, object, stored, change.signal)
  if (change.dryRun) {
    if (api.store.get(resourceOf(definition), keyOf(namespace, name))) throw alreadyExists(definition, name)
    checkPlace(api, change, name)
    return object
  }
  const made = await api.store.change(resourceOf(definition), keyOf(namespace, name), (current) => {
    if (current) throw alreadyExists(definition, name)
    // Here and not before: nothing comes between this look and the place of the write in the order of all changes.
    checkPlace(api, change, name)
    return kept
  })
  return await converted(api, made ?? object, definition, change.signal)
}

function withDefaults(api: ApiContext, definition: ResourceDefinition, given: ApiObject): ApiObject {
  const system: Record<string, Json | undefined> = {
    uid: api.random.uuid(),
    creationTimestamp: timestamp(api.clock.now()),
    generation: hasGeneration(definition) ? 1 : undefined,
    resourceVersion: undefined,
    deletionTimestamp: undefined,
    deletionGracePeriodSeconds: undefined,
    selfLink: undefined,
  }
  const object = withMetadata(given, system)
  return definition.custom ? applyDefaults(definition, object) : withKindDefaults(definition, object)
}

async function withOwners(api: ApiContext, change: Change, after: ApiObject): Promise<ApiObject> {
  const given = after.metadata['managedFields']
  return await tracked(api, change, { subresource: '', before: undefined, after, given })
}

function prepare(definition: ResourceDefinition, object: ApiObject): ApiObject {
  if (!definition.custom) return prepareForCreate(definition, object)
  return definition.statusSubresource ? withContent(object, { status: undefined }) : object
}

/** Nothing new comes into a namespace, or of a custom kind, that is about to go. */
function checkPlace(api: ApiContext, { definition, namespace }: Change, name: string): void {
  const crd = definition.custom
    ? api.store.get(CRD_RESOURCE, keyOf('', `${definition.plural}.${definition.group}`))
    : undefined
  if (crd && isDeleting(crd)) {
    throw forbidden(definition, name, 'create not allowed while custom resource definition is terminating')
  }
  if (!definition.namespaced) return
  const found = api.store.get(resourceOf(NAMESPACE), keyOf('', namespace))
  if (!found) throw notFound(NAMESPACE, namespace)
  if (!isDeleting(found)) return
  const why = `unable to create new content in namespace ${namespace} because it is being terminated`
  const { message, details } = forbidden(definition, name, why).status
  const causes = [
    {
      reason: 'NamespaceTerminating',
      message: `namespace ${namespace} is being terminated`,
      field: 'metadata.namespace',
    },
  ]
  throw failure(403, 'Forbidden', message ?? why, { ...details, causes })
}

function withGeneratedName(api: ApiContext, given: ApiObject): ApiObject {
  const prefix = textAt(given.metadata, 'generateName')
  return withMetadata(given, { name: generateName(prefix, api.random.bytes(5)) })
}

function isTaken(error: unknown): boolean {
  return error instanceof StatusError && error.status.reason === 'AlreadyExists'
}
