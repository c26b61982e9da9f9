import { createReconciler } from '../../../platform/lifecycle/index.ts'
import {
  arrayAt,
  finalizersOf,
  isDeleting,
  isJsonObject,
  nameOf,
  namespaceOf,
  type Owner,
  ownersOf,
  textAt,
  uidOf,
  withMetadata,
} from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { keyOf, resourceOf } from '../../serving/objects/registry.ts'
import { type ApiContext, CONTROLLER_MANAGER, systemChange } from '../rest/context.ts'
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER, removeObject } from '../rest/remove.ts'
import type { Propagation } from '../rest/remove-options.ts'
import { updateObject } from '../rest/update.ts'
import type { Controller, ControllerOptions } from './controller.ts'
import { hasSameOwners, OwnerIndex, type Place, parsePlace, placeText } from './owner-index.ts'

interface Found {
  readonly object: ApiObject
  readonly definition: ResourceDefinition
}

/** Removes what lost all its owners, and does what foreground and orphaning deletion ask of dependents. */
export function garbageCollector({ api, metrics }: ControllerOptions): Controller {
  const index = new OwnerIndex()
  const reconciler = createReconciler({
    name: 'garbage',
    workers: 4,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (text, signal) => {
      const found = find(api, parsePlace(text))
      if (found) await collect(api, index, found, signal)
    },
  })
  const concerns = (object: ApiObject) =>
    ownersOf(object).length > 0 || (isDeleting(object) && finalizersOf(object).some(isCollected))
  return {
    watch() {
      for (const resource of api.store.resources()) {
        for (const [key, object] of api.store.list(resource)) {
          index.add(resource, key, object)
          if (concerns(object)) reconciler.enqueue(placeText({ resource, key }))
        }
      }
      return api.store.onChange((resource, change) => {
        index.apply(resource, change)
        const { key, before, after } = change
        // A status that is reported every second says nothing new of owners.
        if (before && after && !isDeleting(after) && hasSameOwners(before, after)) return
        if (after && concerns(after)) reconciler.enqueue(placeText({ resource, key }))
        if (!before) return
        // An owner that waits for this one may have waited for the last of it.
        for (const { uid } of ownersOf(before)) {
          const owner = index.placeOf(uid)
          if (owner) reconciler.enqueue(placeText(owner))
        }
        if (after) return
        for (const place of index.dependentsOf(uidOf(before))) reconciler.enqueue(placeText(place))
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

async function collect(api: ApiContext, index: OwnerIndex, found: Found, signal: AbortSignal): Promise<void> {
  const { object } = found
  if (isDeleting(object)) {
    const finalizers = finalizersOf(object)
    if (finalizers.includes(ORPHAN_FINALIZER)) return await orphan(api, index, found, signal)
    if (finalizers.includes(FOREGROUND_FINALIZER)) return await removeFirst(api, index, found, signal)
    return
  }
  const owners = ownersOf(object)
  if (owners.length === 0) return
  const states = owners.map((owner) => stateOf(api, object, owner))
  if (states.includes('unknown')) return
  if (states.includes('present')) {
    const lost = owners.filter((_, place) => states[place] !== 'present').map(({ uid }) => uid)
    if (lost.length > 0) await disown(api, found, lost, signal)
    return
  }
  // All owners that are left wait for their dependents.
  await remove(api, found, states.includes('waiting') ? 'Foreground' : ownPolicy(object), signal)
}

/** What its finalizers ask for when it goes without anybody having said how. */
function ownPolicy(object: ApiObject): Propagation {
  const finalizers = finalizersOf(object)
  if (finalizers.includes(ORPHAN_FINALIZER)) return 'Orphan'
  return finalizers.includes(FOREGROUND_FINALIZER) ? 'Foreground' : 'Background'
}

/** Foreground: dependents go first. Those that do not block the owner are asked to go, and not waited for. */
async function removeFirst(api: ApiContext, index: OwnerIndex, found: Found, signal: AbortSignal): Promise<void> {
  const uid = uidOf(found.object)
  let blocking = 0
  for (const place of index.dependentsOf(uid)) {
    const dependent = find(api, place)
    const owner = dependent && ownersOf(dependent.object).find((each) => each.uid === uid)
    if (!dependent || !owner) continue
    const others = ownersOf(dependent.object).filter((each) => each.uid !== uid)
    if (others.some((each) => stateOf(api, dependent.object, each) === 'present')) {
      await disown(api, dependent, [uid], signal)
      continue
    }
    const isRound = owner.blockOwnerDeletion && holdsWaiting(api, index, dependent.object)
    if (isRound) await unblock(api, dependent, signal)
    else if (owner.blockOwnerDeletion) blocking++
    if (!isDeleting(dependent.object)) await remove(api, dependent, 'Foreground', signal)
  }
  if (blocking === 0) await dropFinalizer(api, found, FOREGROUND_FINALIZER, signal)
}

/** One that waits for this one to go: where it is an owner of this one, too, each would wait for the other. */
function holdsWaiting(api: ApiContext, index: OwnerIndex, object: ApiObject): boolean {
  return index.dependentsOf(uidOf(object)).some((place) => {
    const found = find(api, place)
    return found !== undefined && isWaiting(found.object)
  })
}

/** No owner waits for it any more. */
async function unblock(api: ApiContext, found: Found, signal: AbortSignal): Promise<void> {
  await edit(api, found, signal, (current) => {
    const owners = arrayAt(current.metadata, 'ownerReferences').filter(isJsonObject)
    return withMetadata(current, { ownerReferences: owners.map((owner) => ({ ...owner, blockOwnerDeletion: false })) })
  })
}

async function orphan(api: ApiContext, index: OwnerIndex, found: Found, signal: AbortSignal): Promise<void> {
  const uid = uidOf(found.object)
  for (const place of index.dependentsOf(uid)) {
    const dependent = find(api, place)
    if (dependent) await disown(api, dependent, [uid], signal)
  }
  await dropFinalizer(api, found, ORPHAN_FINALIZER, signal)
}

function stateOf(api: ApiContext, dependent: ApiObject, owner: Owner): 'present' | 'absent' | 'waiting' | 'unknown' {
  const definition = api.registry.findKind(owner.apiVersion, owner.kind)
  // Of a kind that is not served nobody can say that the owner is gone.
  if (!definition) return 'unknown'
  // An object of the cluster cannot have an owner in a namespace: which one is meant, nobody knows.
  if (definition.namespaced && namespaceOf(dependent) === '') return 'unknown'
  const namespace = definition.namespaced ? namespaceOf(dependent) : ''
  const found = api.store.get(resourceOf(definition), keyOf(namespace, owner.name))
  if (!found || uidOf(found) !== owner.uid) return 'absent'
  return isWaiting(found) ? 'waiting' : 'present'
}

function isWaiting(object: ApiObject): boolean {
  return isDeleting(object) && finalizersOf(object).includes(FOREGROUND_FINALIZER)
}

async function remove(
  api: ApiContext,
  { object, definition }: Found,
  propagation: Propagation,
  signal: AbortSignal,
): Promise<void> {
  const change = systemChange(definition, namespaceOf(object), signal, CONTROLLER_MANAGER)
  await unlessGone(removeObject(api, change, nameOf(object), { propagation, uid: uidOf(object), resourceVersion: '' }))
}

async function disown(api: ApiContext, found: Found, uids: readonly string[], signal: AbortSignal): Promise<void> {
  await edit(api, found, signal, (current) => {
    const owners = arrayAt(current.metadata, 'ownerReferences').filter((owner) => !isOwner(owner, uids))
    return withMetadata(current, { ownerReferences: owners.length === 0 ? undefined : owners })
  })
}

async function dropFinalizer(api: ApiContext, found: Found, finalizer: string, signal: AbortSignal): Promise<void> {
  await edit(api, found, signal, (current) => {
    const finalizers = finalizersOf(current).filter((each) => each !== finalizer)
    return withMetadata(current, { finalizers: finalizers.length === 0 ? undefined : finalizers })
  })
}

async function edit(
  api: ApiContext,
  { object, definition }: Found,
  signal: AbortSignal,
  propose: (current: ApiObject) => ApiObject,
): Promise<void> {
  const change = systemChange(definition, namespaceOf(object), signal, CONTROLLER_MANAGER)
  const isIt = (current: ApiObject) => uidOf(current) === uidOf(object)
  const guarded = (current: ApiObject) => (isIt(current) ? propose(current) : current)
  await unlessGone(updateObject(api, change, { name: nameOf(object), subresource: '' }, { propose: guarded }))
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    // Gone, or another one under the same name: its own change brings it back here.
    const isOld = error instanceof StatusError && ['NotFound', 'Conflict'].includes(error.status.reason ?? '')
    if (!isOld) throw error
  }
}

function find(api: ApiContext, { resource, key }: Place): Found | undefined {
  const object = api.store.get(resource, key)
  const definition = api.registry.stored(resource)
  return object && definition ? { object, definition } : undefined
}

function isOwner(owner: unknown, uids: readonly string[]): boolean {
  return isJsonObject(owner) && uids.includes(textAt(owner, 'uid'))
}

function isCollected(finalizer: string): boolean {
  return finalizer === FOREGROUND_FINALIZER || finalizer === ORPHAN_FINALIZER
}
