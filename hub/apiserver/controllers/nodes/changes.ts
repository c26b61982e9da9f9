import type { ApiObject } from '../../../kube/resource.ts'
import { keyOf } from '../../../serving/objects/registry.ts'
import type { ApiContext } from '../../rest/context.ts'
import { NODES, PODS } from '../changes.ts'
import { type Story, tellEvent } from '../events.ts'

export { edit, NODES, nodeOfPod, PODS, removePod } from '../changes.ts'

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
  return api.store.keysWith(PODS, 'spec.nodeName', node) ?? []
}

/** An Event that `kubectl describe` shows. */
export function tell(api: ApiContext, about: ApiObject, story: Story, signal: AbortSignal): Promise<void> {
  return tellEvent(api, 'node-controller', about, story, signal)
}
