import { createReconciler } from '../../../platform/lifecycle/index.ts'
import { ms } from '../../../platform/time/index.ts'
import { conflictingStatus, definitionsOfCrd, establishedStatus, nameConflict } from '../../kube/crd/index.ts'
import {
  arrayAt,
  finalizersOf,
  isDeleting,
  isJsonObject,
  nameOf,
  namespaceOf,
  objectAt,
  textAt,
  timestamp,
  withContent,
  withMetadata,
} from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { StatusError } from '../../kube/status.ts'
import { keyOf, type Registry, resourceOf } from '../../serving/objects/registry.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { type ApiContext, systemChange } from '../rest/context.ts'
import { CRD_FINALIZER, CRD_RESOURCE, removeObject } from '../rest/remove.ts'
import { updateObject } from '../rest/update.ts'

const SOON = ms(200)

/**
 * Serves what CustomResourceDefinitions declare: a kind is there as soon as its definition is, and is gone when its last
 * object and then its definition went.
 */
export function crdController({ api, metrics }: ControllerOptions): Controller {
  const { store, registry } = api
  const reconciler = createReconciler({
    name: 'definitions',
    workers: 2,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (name, signal) => {
      const crd = store.get(CRD_RESOURCE, keyOf('', name))
      if (!crd) return
      if (!isDeleting(crd)) return await writeStatus(api, crd, signal)
      if (await emptied(api, crd, signal)) await release(api, name, signal)
      else if (store.isWriting('', resourceOfCrd(crd))) reconciler.enqueueAfter(name, SOON)
    },
  })
  const everyone = () => {
    for (const [, crd] of store.list(CRD_RESOURCE)) {
      serve(registry, crd)
      reconciler.enqueue(nameOf(crd))
    }
  }
  return {
    watch() {
      everyone()
      return store.onChange((resource, { key, before, after }) => {
        if (resource === CRD_RESOURCE) {
          if (after) serve(registry, after)
          else registry.setCustom(key.slice(1), [])
          // Names that one gives back may be what another one waits for.
          if (!after) everyone()
          else reconciler.enqueue(nameOf(after))
        } else if (before && !after) {
          const crd = store.get(CRD_RESOURCE, keyOf('', nameOfCrd(resource)))
          if (crd && isDeleting(crd)) reconciler.enqueue(nameOf(crd))
        }
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

function serve(registry: Registry, crd: ApiObject): void {
  registry.setCustom(nameOf(crd), nameConflict(crd, registry.definitions) ? [] : definitionsOfCrd(crd))
}

async function writeStatus(api: ApiContext, crd: ApiObject, signal: AbortSignal): Promise<void> {
  const conflict = nameConflict(crd, api.registry.definitions)
  const now = timestamp(api.clock.now())
  await edit(api, nameOf(crd), 'status', signal, (current) =>
    withContent(current, {
      status: conflict ? conflictingStatus(current, now, conflict) : establishedStatus(current, now),
    }),
  )
}

/** Asks all objects of a kind to go; true when none is left. */
async function emptied(api: ApiContext, crd: ApiObject, signal: AbortSignal): Promise<boolean> {
  const resource = resourceOfCrd(crd)
  const definition = api.registry.stored(resource)
  if (!definition) return api.store.list(resource).length === 0
  await markTerminating(api, crd, signal)
  const objects = api.store.list(resource)
  for (const [, object] of objects) {
    if (isDeleting(object)) continue
    const change = systemChange(definition, namespaceOf(object), signal)
    const options = { propagation: 'Background', uid: '', resourceVersion: '' } as const
    await removeObject(api, change, nameOf(object), options).catch(unlessGone)
  }
  return api.store.list(resource).length === 0 && !api.store.isWriting('', resource)
}

async function markTerminating(api: ApiContext, crd: ApiObject, signal: AbortSignal): Promise<void> {
  const now = timestamp(api.clock.now())
  await edit(api, nameOf(crd), 'status', signal, (current) => {
    const status = objectAt(current, 'status')
    const conditions = arrayAt(status, 'conditions').filter(isJsonObject)
    if (conditions.some((each) => textAt(each, 'type') === 'Terminating')) return current
    const message = 'CustomResource deletion is in progress'
    const terminating = {
      type: 'Terminating',
      status: 'True',
      lastTransitionTime: now,
      reason: 'InstanceDeletionInProgress',
      message,
    }
    return withContent(current, { status: { ...status, conditions: [...conditions, terminating] } })
  })
}

async function release(api: ApiContext, name: string, signal: AbortSignal): Promise<void> {
  await edit(api, name, '', signal, (current) => {
    const finalizers = finalizersOf(current).filter((each) => each !== CRD_FINALIZER)
    return withMetadata(current, { finalizers: finalizers.length === 0 ? undefined : finalizers })
  })
}

async function edit(
  api: ApiContext,
  name: string,
  subresource: string,
  signal: AbortSignal,
  propose: (current: ApiObject) => ApiObject,
): Promise<void> {
  const definition = api.registry.stored(CRD_RESOURCE)
  if (!definition) return
  await updateObject(api, systemChange(definition, '', signal), { name, subresource }, { propose }).catch(unlessGone)
}

function unlessGone(error: unknown): undefined {
  if (error instanceof StatusError && error.status.reason === 'NotFound') return undefined
  throw error
}

function resourceOfCrd(crd: ApiObject): string {
  const spec = objectAt(crd, 'spec')
  return resourceOf({ group: textAt(spec, 'group'), plural: textAt(objectAt(spec, 'names'), 'plural') })
}

/** `devices.kubeedge.io/devices` belongs to the definition `devices.devices.kubeedge.io`. */
function nameOfCrd(resource: string): string {
  const [group = '', plural = ''] = resource.split('/')
  return `${plural}.${group}`
}
