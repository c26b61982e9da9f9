import type { JsonObject } from '../../../../schemas/index.ts'
import {
  arrayAt,
  conditionOf,
  conditionStatus,
  isDeleting,
  isJsonObject,
  nameOf,
  objectAt,
  textAt,
} from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { nodeOfPod } from '../changes.ts'
import { numberAt } from './figures.ts'

const PHASES = ['Pending', 'Unknown', 'Running']
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost'

export function phaseOf(pod: ApiObject): string {
  return textAt(objectAt(pod, 'status'), 'phase')
}

/** It ended, and will not run again. */
export function isOver(pod: ApiObject): boolean {
  const phase = phaseOf(pod)
  return phase === 'Succeeded' || phase === 'Failed'
}

/** It runs or will run. */
export function isActive(pod: ApiObject): boolean {
  return !isOver(pod) && !isDeleting(pod)
}

export function isReady(pod: ApiObject): boolean {
  return conditionStatus(pod, 'Ready') === 'True'
}

/** Ms until a pod that is ready counts as available: 0 for one that does, Infinity for one that is not ready. */
export function untilAvailable(pod: ApiObject, minReadySeconds: number, now: number): number {
  if (!isReady(pod)) return Number.POSITIVE_INFINITY
  if (minReadySeconds <= 0) return 0
  const since = Date.parse(textAt(conditionOf(pod, 'Ready') ?? {}, 'lastTransitionTime'))
  return Number.isNaN(since) ? Number.POSITIVE_INFINITY : Math.max(0, since + minReadySeconds * 1000 - now)
}

/**
 * Pods in the order in which Kubernetes takes them away when there are too many: not yet placed, not yet running, not ready,
 * cheap, crowded on their node (`related` counts too), ready only lately, often restarted, young.
 */
export function byDispensability(pods: readonly ApiObject[], related: readonly ApiObject[]): readonly ApiObject[] {
  const crowds = new Map<string, number>()
  for (const pod of related) crowds.set(nodeOfPod(pod), (crowds.get(nodeOfPod(pod)) ?? 0) + 1)
  const ranked = pods.map((pod) => ({ pod, rank: rankOf(pod, crowds.get(nodeOfPod(pod)) ?? 0) }))
  return ranked.sort((one, other) => compare(one.rank, other.rank)).map(({ pod }) => pod)
}

function rankOf(pod: ApiObject, crowd: number): readonly (number | string)[] {
  const ready = isReady(pod)
  return [
    nodeOfPod(pod) === '' ? 0 : 1,
    PHASES.indexOf(phaseOf(pod)),
    ready ? 1 : 0,
    deletionCost(pod),
    -crowd,
    ready ? -timeOf(conditionOf(pod, 'Ready') ?? {}, 'lastTransitionTime') : 0,
    -restartsOf(pod),
    -timeOf(pod.metadata, 'creationTimestamp'),
    nameOf(pod),
  ]
}

function compare(one: readonly (number | string)[], other: readonly (number | string)[]): number {
  for (const [position, value] of one.entries()) {
    const against = other[position] ?? value
    if (value !== against) return value < against ? -1 : 1
  }
  return 0
}

function deletionCost(pod: ApiObject): number {
  const cost = Number(objectAt(pod.metadata, 'annotations')[DELETION_COST] ?? 0)
  return Number.isInteger(cost) ? cost : 0
}

function restartsOf(pod: ApiObject): number {
  const statuses = arrayAt(objectAt(pod, 'status'), 'containerStatuses').filter(isJsonObject)
  return Math.max(0, ...statuses.map((each) => numberAt(each, 'restartCount')))
}

function timeOf(object: JsonObject, field: string): number {
  const time = Date.parse(textAt(object, field))
  return Number.isNaN(time) ? 0 : time
}
