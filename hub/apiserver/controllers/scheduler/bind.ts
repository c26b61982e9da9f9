import { nameOf, namespaceOf, uidOf } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { StatusError } from '../../../kube/status.ts'
import { bindPod } from '../../rest/bind.ts'
import { type ApiContext, systemChange } from '../../rest/context.ts'
import { PODS } from '../changes.ts'

/** Gives a pod to a node, unless it is gone, about to go or bound by somebody else meanwhile. True where it was given. */
export async function bindTo(api: ApiContext, pod: ApiObject, node: string, signal: AbortSignal): Promise<boolean> {
  const definition = api.registry.stored(PODS)
  if (!definition) return false
  const name = nameOf(pod)
  const namespace = namespaceOf(pod)
  const target = { apiVersion: 'v1', kind: 'Node', name: node }
  const metadata = { name, namespace, uid: uidOf(pod) }
  try {
    await bindPod(api, systemChange(definition, namespace, signal), name, {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata,
      target,
    })
    return true
  } catch (error) {
    const reason = error instanceof StatusError ? error.status.reason : undefined
    if (reason === 'Conflict' || reason === 'NotFound') return false
    throw error
  }
}
