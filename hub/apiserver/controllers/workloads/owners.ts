import type { Json, JsonObject } from '../../../../schemas/index.ts'
import {
  arrayAt,
  isDeleting,
  isJsonObject,
  labelsOf,
  nameOf,
  namespaceOf,
  objectAt,
  textAt,
  uidOf,
  withMetadata,
} from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { matchesLabels, requirementsOf, selects } from '../../../kube/selectors/index.ts'
import { keyOf } from '../../../serving/objects/registry.ts'
import type { ApiContext } from '../../rest/context.ts'
import { edit } from '../changes.ts'

/** The owner that manages an object, as its metadata names it. */
export function controllerOf(object: ApiObject): JsonObject | undefined {
  return arrayAt(object.metadata, 'ownerReferences')
    .filter(isJsonObject)
    .find((each) => each['controller'] === true)
}

export function isControlledBy(object: ApiObject, owner: ApiObject): boolean {
  return textAt(controllerOf(object) ?? {}, 'uid') === uidOf(owner)
}

/** How dependents name their controller. */
export function controllerReference(owner: ApiObject): JsonObject {
  const { apiVersion, kind } = owner
  const identity = { apiVersion, kind, name: nameOf(owner), uid: uidOf(owner) }
  return { ...identity, controller: true, blockOwnerDeletion: true }
}

/**
 * The objects that a controller manages: its own whose labels fit its selector, and those of nobody that fit, which it adopts.
 * Its own that do not fit any more are let go. One that is being deleted neither takes nor gives.
 */
export async function claim(
  api: ApiContext,
  owner: ApiObject,
  resource: string,
  signal: AbortSignal,
): Promise<readonly ApiObject[]> {
  const selector = objectAt(owner, 'spec')['selector']
  const requirements = isJsonObject(selector) ? requirementsOf(selector) : undefined
  const claimed: ApiObject[] = []
  for (const [key, object] of api.store.list(resource, `${namespaceOf(owner)}/`)) {
    const fits = requirements !== undefined && matchesLabels(requirements, labelsOf(object))
    const isOwn = isControlledBy(object, owner)
    if (isOwn && fits) claimed.push(object)
    else if (isDeleting(owner)) continue
    else if (isOwn) await release(api, owner, resource, object, signal)
    else if (fits && !controllerOf(object) && !isDeleting(object)) {
      await adopt(api, owner, resource, object, signal)
      const adopted = api.store.get(resource, key)
      if (adopted && isControlledBy(adopted, owner)) claimed.push(adopted)
    }
  }
  return claimed
}

export interface Followed {
  /** The owners, as they are stored. */
  readonly owners: string
  readonly kind: string
  readonly dependents: string
  /** `namespace/name` of an owner for which something may be different. */
  readonly enqueue: (key: string) => void
}

/** Takes up all owners, and follows changes of them and of what they manage or may adopt. */
export function follow(api: ApiContext, { owners, kind, dependents, enqueue }: Followed): Disposable {
  const ownerKey = (object: ApiObject): string | undefined => {
    const controller = controllerOf(object)
    if (!controller || textAt(controller, 'kind') !== kind) return undefined
    return keyOf(namespaceOf(object), textAt(controller, 'name'))
  }
  for (const [key] of api.store.list(owners)) enqueue(key)
  return api.store.onChange((resource, { key, before, after }) => {
    if (resource === owners) enqueue(key)
    if (resource !== dependents) return
    const keys = [before, after].map((object) => (object ? ownerKey(object) : undefined))
    for (const each of new Set(keys)) if (each !== undefined) enqueue(each)
    if (!after || controllerOf(after)) return
    for (const [each, owner] of api.store.list(owners, `${namespaceOf(after)}/`)) {
      if (selects(objectAt(owner, 'spec')['selector'], labelsOf(after))) enqueue(each)
    }
  })
}

async function adopt(
  api: ApiContext,
  owner: ApiObject,
  resource: string,
  object: ApiObject,
  signal: AbortSignal,
): Promise<void> {
  await editOwners(api, resource, object, signal, (owners, current) =>
    controllerOf(current) || isDeleting(current) ? owners : [...owners, controllerReference(owner)],
  )
}

async function release(
  api: ApiContext,
  owner: ApiObject,
  resource: string,
  object: ApiObject,
  signal: AbortSignal,
): Promise<void> {
  const isOwner = (each: Json) => isJsonObject(each) && textAt(each, 'uid') === uidOf(owner)
  await editOwners(api, resource, object, signal, (owners) => owners.filter((each) => !isOwner(each)))
}

async function editOwners(
  api: ApiContext,
  resource: string,
  object: ApiObject,
  signal: AbortSignal,
  change: (owners: readonly Json[], current: ApiObject) => readonly Json[],
): Promise<void> {
  const propose = (current: ApiObject) => {
    const owners = change(arrayAt(current.metadata, 'ownerReferences'), current)
    return withMetadata(current, { ownerReferences: owners.length === 0 ? undefined : owners })
  }
  await edit(api, resource, object, '', propose, signal)
}
