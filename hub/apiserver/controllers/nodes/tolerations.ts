import type { JsonObject } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'

/**
 * How long a pod stays on a node with these taints, in seconds: Infinity where it tolerates all of them for good, 0 where it
 * does not tolerate one of them, else the shortest of its times.
 */
export function secondsTolerated(pod: ApiObject, taints: readonly JsonObject[]): number {
  const tolerations = arrayAt(objectAt(pod, 'spec'), 'tolerations').filter(isJsonObject)
  const times = taints.map((taint) => {
    const matching = tolerations.filter((each) => tolerates(each, taint))
    if (matching.length === 0) return 0
    return Math.min(...matching.map(secondsOf))
  })
  return Math.min(...times, Number.POSITIVE_INFINITY)
}

/** An empty key with Exists tolerates everything; an empty effect all effects (Kubernetes, core/v1 Toleration). */
export function tolerates(toleration: JsonObject, taint: JsonObject): boolean {
  const effect = textAt(toleration, 'effect')
  const key = textAt(toleration, 'key')
  if (effect !== '' && effect !== textAt(taint, 'effect')) return false
  if (key !== '' && key !== textAt(taint, 'key')) return false
  if (textAt(toleration, 'operator') === 'Exists') return true
  return key !== '' && textAt(toleration, 'value') === textAt(taint, 'value')
}

function secondsOf(toleration: JsonObject): number {
  const seconds = toleration['tolerationSeconds']
  return typeof seconds === 'number' ? Math.max(0, seconds) : Number.POSITIVE_INFINITY
}
