import { nameOf, namespaceOf, objectAt, textAt, uidOf } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { StatusError } from '../../../kube/status.ts'
import { type ApiContext, systemChange } from '../../rest/context.ts'
import { keyOf } from '../../rest/registry.ts'
import { removeObject } from '../../rest/remove.ts'
import { updateObject } from '../../rest/update.ts'
import { type Story, tellEvent } from '../events.ts'

export const NODES = '/nodes'
export const PODS = '/pods'
const LEASES = 'coordination.k8s.io/leases'

export function nodeNamed(api: ApiContext, name: string): ApiObject | undefined {
  return api.store.get(NODES, keyOf('', name))
}

export function leaseOf(api: ApiContext, name: string): ApiObject | undefined {
  return api.store.get(LEASES, keyOf('kube-node-lease', name))
}

/** The name of the node that renews it; undefined for another resource. */
export function leaseHolder(resource: string, key: string): string | undefined {
  if (resource !== LEASES || !key.startsWith('kube-node-lease/')) return undefined
  return key.slice('kube-node-lease/'.length)
}

/** Keys of the pods that are bound to a node. */
export function podsOn(api: ApiContext, node: string): readonly string[] {
  return api.store.list(PODS).flatMap(([key, pod]) => (nodeOfPod(pod) === node ? [key] : []))
}

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
  const change = systemChange(definition, namespaceOf(object), signal)
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

/** Without `gracePeriodSeconds` the pod says how long its end may take. */
export async function removePod(
  api: ApiContext,
  pod: ApiObject,
  signal: AbortSignal,
  gracePeriodSeconds?: number,
): Promise<void> {
  const definition = api.registry.stored(PODS)
  if (!definition) return
  const options = {
    propagation: 'Background',
    uid: uidOf(pod),
    resourceVersion: '',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
  } as const
  await unlessGone(removeObject(api, systemChange(definition, namespaceOf(pod), signal), nameOf(pod), options))
}

/** An Event that `kubectl describe` shows. */
export function tell(api: ApiContext, about: ApiObject, story: Story, signal: AbortSignal): Promise<void> {
  return tellEvent(api, 'node-controller', about, story, signal)
}

async function unlessGone(work: Promise<unknown>): Promise<void> {
  try {
    await work
  } catch (error) {
    const reason = error instanceof StatusError ? error.status.reason : undefined
    if (reason !== 'NotFound' && reason !== 'Conflict') throw error
  }
}
