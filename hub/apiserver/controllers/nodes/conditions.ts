import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt, timestamp, withContent } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'

/** What a node says of itself, and what nobody knows any more when it is silent. */
const TYPES = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/** Empty for a condition that the object does not have. */
export function conditionStatus(object: ApiObject, type: string): string {
  return textAt(conditionOf(object, type) ?? {}, 'status')
}

export function conditionOf(object: ApiObject, type: string): JsonObject | undefined {
  return arrayAt(objectAt(object, 'status'), 'conditions')
    .filter(isJsonObject)
    .find((each) => textAt(each, 'type') === type)
}

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

/** The object with this condition in the place of the one of its type. */
export function withCondition(object: ApiObject, condition: JsonObject): ApiObject {
  const status = objectAt(object, 'status')
  const type = textAt(condition, 'type')
  const before = arrayAt(status, 'conditions')
  const isIt = (each: Json) => isJsonObject(each) && textAt(each, 'type') === type
  const conditions = before.some(isIt) ? before.map((each) => (isIt(each) ? condition : each)) : [...before, condition]
  return withContent(object, { status: { ...status, conditions } })
}
