import {
  isDeleting,
  objectAt,
  textAt,
  timestamp,
  uidOf,
  withCondition,
  withContent,
} from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { ApiContext } from '../../rest/context.ts'

/** Gives a pod to a node, unless it is gone, about to go or bound by somebody else meanwhile. True where it was given. */
export async function bindTo(api: ApiContext, key: string, pod: ApiObject, node: string): Promise<boolean> {
  let isBound = false
  await api.store.change('/pods', key, (current) => {
    const spec = current ? objectAt(current, 'spec') : {}
    if (!current || uidOf(current) !== uidOf(pod) || isDeleting(current) || textAt(spec, 'nodeName') !== '') {
      return current
    }
    isBound = true
    const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null }
    const condition = { ...scheduled, lastTransitionTime: timestamp(api.clock.now()) }
    return withCondition(withContent(current, { spec: { ...spec, nodeName: node } }), condition)
  })
  return isBound
}
