import { nameOf, objectAt, timestamp, withCondition } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest } from '../../kube/status.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import { ofKind } from '../../serving/requests/body-kind.ts'
import type { ApiContext, Change } from './context.ts'
import { spendBudget } from './disruption.ts'
import { removeObject } from './remove.ts'
import { removeOptions } from './remove-options.ts'
import { updateObject } from './update.ts'

const EVICTION = { group: 'policy', version: 'v1', kind: 'Eviction' } as const

/**
 * Takes an Eviction (policy/v1): where the disruption budget of the pod allows it, the pod is marked as one that has to go, then
 * deleted. Throws a Status.
 */
export async function evictPod(api: ApiContext, change: Change, name: string, eviction: ApiObject): Promise<void> {
  if (eviction.kind !== EVICTION.kind) ofKind(eviction, EVICTION)
  const given = nameOf(eviction)
  if (given !== '' && given !== name) throw badRequest('name in URL does not match name in Eviction object')
  const options = removeOptions(objectAt(eviction, 'deleteOptions'))
  const asked = options.dryRun ? { ...change, dryRun: true } : change
  const pod = api.store.get('/pods', keyOf(change.namespace, name))
  if (pod) await spendBudget(api, asked, pod)
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
    lastTransitionTime: timestamp(api.clock.now()),
  }
  await updateObject(
    api,
    asked,
    { name, subresource: 'status' },
    { propose: (current) => withCondition(current, condition) },
  )
  await removeObject(api, asked, name, options)
}
