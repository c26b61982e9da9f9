import { conditionOf, textAt, timestamp, withCondition } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'

/** What a node says of itself, and what nobody knows any more when it is silent. */
const TYPES = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/** The node as nobody knows how it is: reasons and texts are Kubernetes' own, and tools know them. */
export function unknownNode(node: ApiObject, now: number): ApiObject {
  return TYPES.reduce((marked, type) => withUnknown(marked, type, now), node)
}

function withUnknown(node: ApiObject, type: string, now: number): ApiObject {
  const known = conditionOf(node, type)
  if (known && textAt(known, 'status') === 'Unknown') return node
  const created = textAt(node.metadata, 'creationTimestamp')
  return withCondition(node, {
    ...(known ?? { type, lastHeartbeatTime: created }),
    type,
    status: 'Unknown',
    reason: known ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
    message: known ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
    lastTransitionTime: timestamp(now),
  })
}
