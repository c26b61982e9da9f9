import { nameOf, namespaceOf, objectAt, textAt, uidOf } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { internalError, StatusError } from '../../kube/status.ts'
import { type ApiContext, CONTROLLER_MANAGER, systemChange } from '../rest/context.ts'
import { createObject } from '../rest/create.ts'
import { removeObject } from '../rest/remove.ts'
import type { Propagation } from '../rest/remove-options.ts'
import { updateObject } from '../rest/update.ts'

export const NODES = '/nodes'
export const PODS = '/pods'

/** Empty for a pod that is bound to none. */
export function nodeOfPod(pod: ApiObject): string {
  return textAt(objectAt(pod, 'spec'), 'nodeName')
}

/** Changes an object that may be gone, or another one, by the time of the change; then nothing happens. */
export async function edit(
  api: ApiContext,
  resource: string,
  object: ApiObject,
  subresource: '' | 'status',
  propose: (current: ApiObject) => ApiObject,
  signal: AbortSignal,
): Promise<void> {
  const definition = api.registry.stored(resource)
  if (!definition) return
  const change = systemChange(definition, namespaceOf(object), signal, CONTROLLER_MANAGER)
  const isIt = (current: ApiObject) => uidOf(current) === uidOf(object)
  await unlessGone(
    updateObject(
      api,
      change,
      { name: nameOf(object), subresource },
      { propose: (current) => (isIt(current) ? propose(current) : current) },
    ),
  )
}

/** Makes an object of a kind that is built in. Throws a Status. */
export async function create(
  api: ApiContext,
  resource: string,
  object: ApiObject,
  signal: AbortSignal,
): Promise<ApiObject> {
  const definition = api.registry.stored(resource)
  if (!definition) throw internalError(`${resource} is not served`)
  return await createObject(api, systemChange(definition, namespaceOf(object), signal, CONTROLLER_MANAGER), object)
}

/** Removes an object, unless it is gone, or another one, by now. */
export async function remove(
  api: ApiContext,
  resource: string,
  object: ApiObject,
  signal: AbortSignal,
  { propagation = 'Background', ...more }: { propagation?: Propagation; gracePeriodSeconds?: number } = {},
): Promise<void> {
  const definition = api.registry.stored(resource)
  if (!definition) return
  const options = { propagation, uid: uidOf(object), resourceVersion: '', ...more } as const
  await unlessGone(
    removeObject(
      api,
      systemChange(definition, namespaceOf(object), signal, CONTROLLER_MANAGER),
      nameOf(object),
      options,
    ),
  )
}

/** Without `gracePeriodSeconds` the pod says how long its end may take. */
export async function removePod(
  api: ApiContext,
  pod: ApiObject,
  signal: AbortSignal,
  gracePeriodSeconds?: number,
): Promise<void> {
  await remove(api, PODS, pod, signal, gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds })
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    const reason = error instanceof StatusError ? error.status.reason : undefined
    if (reason !== 'NotFound' && reason !== 'Conflict') throw error
  }
}
