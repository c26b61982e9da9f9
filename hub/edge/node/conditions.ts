import type { JsonObject } from '../../../schemas/index.ts'
import { isObject, objectIn, textIn } from '../json.ts'

/** A condition of the Node as it is now. */
export interface NodeCondition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  /** CamelCase, for machines. */
  readonly reason: string
  /** A sentence, for people. */
  readonly message: string
}

/** Types of conditions that this edge has now and then. One that an earlier run has left on the Node is taken back. */
export const OCCASIONAL = {
  nameConflict: 'NameConflict',
  objectsRefused: 'ObjectsRefused',
  servicesLeftOut: 'ServicesLeftOut',
  runtime: 'ContainerRuntimeReady',
  network: 'ContainerNetworkReady',
} as const

/** What is wrong with the parts of this edge. */
export interface NodeHealth {
  /** Parts that do not serve; the node is not Ready while there is one. */
  readonly failing: readonly string[]
  /** Parts that serve, and wait for something outside of this machine. */
  readonly waiting: readonly string[]
}

/** Ready: this edge does its work. Texts are the parts' own, so that people need not look further. */
export function readyCondition({ failing, waiting }: NodeHealth): NodeCondition {
  if (failing.length > 0) {
    return { type: 'Ready', status: 'False', reason: 'EdgePartsFailing', message: failing.join('; ') }
  }
  const message = ['the edge half is connected', ...waiting].join('; ')
  return { type: 'Ready', status: 'True', reason: 'EdgeReady', message }
}

/**
 * Conditions as they go to the API, where `known` is the Node as the API last had it: a status that is the same as there keeps
 * the time since when it holds. Times are RFC 3339, UTC, whole seconds.
 */
export function reportedConditions(
  conditions: readonly NodeCondition[],
  known: JsonObject | undefined,
  now: string,
): readonly JsonObject[] {
  return conditions.map(({ type, status, reason, message }) => {
    const before = conditionIn(known, type)
    const since = before?.['status'] === status ? textIn(before, 'lastTransitionTime') : undefined
    return { type, status, reason, message, lastHeartbeatTime: now, lastTransitionTime: since ?? now }
  })
}

/** Takes conditions out of a status by a strategic merge patch, those that `known` has. */
export function removedConditions(types: Iterable<string>, known: JsonObject | undefined): readonly JsonObject[] {
  return [...types].filter((type) => conditionIn(known, type)).map((type) => ({ $patch: 'delete', type }))
}

function conditionIn(node: JsonObject | undefined, type: string): JsonObject | undefined {
  const { conditions } = objectIn(node, 'status')
  if (!Array.isArray(conditions)) return undefined
  return conditions.find((each) => isObject(each) && each['type'] === type)
}
