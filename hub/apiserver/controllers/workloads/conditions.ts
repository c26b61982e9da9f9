import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { isJsonObject, textAt } from '../../../kube/object/index.ts'

/** One thing that is true of a workload, or not. */
export interface Condition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason: string
  readonly message: string
}

export function findCondition(conditions: readonly Json[], type: string): JsonObject | undefined {
  return conditions.filter(isJsonObject).find((each) => textAt(each, 'type') === type)
}

/**
 * The conditions with this one. One that says the same stays as it is; its time is that of the last change of its status, and
 * `more` may name further times. A condition that changed comes last, as in Kubernetes.
 */
export function setCondition(
  conditions: readonly Json[],
  condition: Condition,
  now: string,
  more: JsonObject = {},
): readonly Json[] {
  const known = findCondition(conditions, condition.type)
  if (known && known['status'] === condition.status && known['reason'] === condition.reason) return conditions
  const isSame = known?.['status'] === condition.status
  const lastTransitionTime = (isSame ? known['lastTransitionTime'] : undefined) ?? now
  return [...withoutCondition(conditions, condition.type), { ...more, ...condition, lastTransitionTime }]
}

export function withoutCondition(conditions: readonly Json[], type: string): readonly Json[] {
  return conditions.filter((each) => !isJsonObject(each) || textAt(each, 'type') !== type)
}
