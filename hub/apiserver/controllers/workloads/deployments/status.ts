import type { Json, JsonObject } from '../../../../../schemas/index.ts'
import { arrayAt, nameOf, objectAt, textAt } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { type Condition, findCondition, setCondition, withoutCondition } from '../conditions.ts'
import { numberAt, withoutZeros } from '../figures.ts'
import { type Goal, goalOf } from './plan.ts'

/** Stands for no deadline at all. */
const NO_DEADLINE = 2 ** 31 - 1

export const AVAILABLE = 'NewReplicaSetAvailable'
export const TIMED_OUT = 'ProgressDeadlineExceeded'
const PAUSED = 'DeploymentPaused'
const RESUMED = 'DeploymentResumed'

export interface Rollout {
  readonly deployment: ApiObject
  readonly sets: readonly ApiObject[]
  readonly newest: ApiObject | undefined
  /** As Kubernetes writes times. */
  readonly now: string
}

/** The numbers of a Deployment, and whether enough of its pods are available. */
export function countedStatus({ deployment, sets, newest, now }: Rollout): JsonObject {
  const before = objectAt(deployment, 'status')
  const total = (field: string) => sets.reduce((sum, set) => sum + numberAt(objectAt(set, 'status'), field), 0)
  const replicas = total('replicas')
  const available = total('availableReplicas')
  const goal = goalOf(deployment)
  return withoutZeros({
    observedGeneration: numberAt(deployment.metadata, 'generation'),
    replicas,
    updatedReplicas: newest ? numberAt(objectAt(newest, 'status'), 'replicas') : 0,
    readyReplicas: total('readyReplicas'),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, replicas - available),
    ...(before['collisionCount'] === undefined ? {} : { collisionCount: before['collisionCount'] }),
    conditions: condition(arrayAt(before, 'conditions'), availability(goal, available), now),
  })
}

/** The same with how the rollout goes on: done, under way or stuck, and what keeps pods from being made. */
export function rolloutStatus(rollout: Rollout): JsonObject {
  const { deployment, newest, sets, now } = rollout
  const status = countedStatus(rollout)
  const known = arrayAt(status, 'conditions')
  const progress = hasDeadline(deployment)
    ? progressConditions(rollout, status)
    : withoutCondition(known, 'Progressing')
  const failing = (newest ? [newest, ...sets] : sets).flatMap((set) => {
    const found = findCondition(arrayAt(objectAt(set, 'status'), 'conditions'), 'ReplicaFailure')
    return found ? [found] : []
  })
  const [failure] = failing
  const conditions = failure
    ? condition(progress, { ...told(failure), type: 'ReplicaFailure', status: 'True' }, now)
    : withoutCondition(progress, 'ReplicaFailure')
  return { ...status, conditions }
}

/** The conditions where a Deployment was just paused, or goes on; undefined where nothing is new. */
export function pauseConditions({ deployment, now }: Pick<Rollout, 'deployment' | 'now'>): readonly Json[] | undefined {
  if (!hasDeadline(deployment)) return undefined
  const conditions = arrayAt(objectAt(deployment, 'status'), 'conditions')
  const reason = textAt(findCondition(conditions, 'Progressing') ?? {}, 'reason')
  if (reason === TIMED_OUT) return undefined
  const isPaused = objectAt(deployment, 'spec')['paused'] === true
  if (isPaused === (reason === PAUSED)) return undefined
  const told = isPaused
    ? { reason: PAUSED, message: 'Deployment is paused' }
    : { reason: RESUMED, message: 'Deployment is resumed' }
  return condition(conditions, { type: 'Progressing', status: 'Unknown', ...told }, now)
}

/** All pods are of the newest ReplicaSet and available, and this is about what the Deployment says now. */
export function isComplete(deployment: ApiObject, status: JsonObject): boolean {
  const replicas = numberAt(objectAt(deployment, 'spec'), 'replicas', 1)
  return (
    ['updatedReplicas', 'replicas', 'availableReplicas'].every((field) => numberAt(status, field) === replicas) &&
    numberAt(status, 'observedGeneration') >= numberAt(deployment.metadata, 'generation')
  )
}

/** Ms until a rollout that does not get on counts as stuck; undefined where none is under way. */
export function untilStuck(deployment: ApiObject, status: JsonObject, now: number): number | undefined {
  const progressing = findCondition(arrayAt(status, 'conditions'), 'Progressing')
  if (!hasDeadline(deployment) || !progressing || isComplete(deployment, status)) return undefined
  if (progressing['reason'] === AVAILABLE || progressing['reason'] === TIMED_OUT) return undefined
  return deadlineOf(deployment, progressing) - now
}

/** A condition of a Deployment tells when it was last written, too. */
export function condition(conditions: readonly Json[], given: Condition, now: string): readonly Json[] {
  return setCondition(conditions, given, now, { lastUpdateTime: now })
}

export function hasDeadline(deployment: ApiObject): boolean {
  return numberAt(objectAt(deployment, 'spec'), 'progressDeadlineSeconds', NO_DEADLINE) !== NO_DEADLINE
}

function progressConditions({ deployment, newest, now }: Rollout, status: JsonObject): readonly Json[] {
  const conditions = arrayAt(status, 'conditions')
  const known = findCondition(conditions, 'Progressing')
  const isDone = numberAt(status, 'replicas') === numberAt(status, 'updatedReplicas') && known?.['reason'] === AVAILABLE
  if (isDone) return conditions
  const what = newest
    ? `ReplicaSet ${JSON.stringify(nameOf(newest))}`
    : `Deployment ${JSON.stringify(nameOf(deployment))}`
  const say = (status: 'True' | 'False', reason: string, message: string) =>
    ({ type: 'Progressing', status, reason, message: `${what} ${message}` }) as const
  if (isComplete(deployment, status)) {
    return condition(conditions, say('True', AVAILABLE, 'has successfully progressed.'), now)
  }
  if (hasProgressed(objectAt(deployment, 'status'), status)) {
    // Written anew each time: the deadline counts from here.
    const lastTransitionTime = known?.['status'] === 'True' ? (known['lastTransitionTime'] ?? now) : now
    const progressing = { ...say('True', 'ReplicaSetUpdated', 'is progressing.'), lastUpdateTime: now }
    return [...withoutCondition(conditions, 'Progressing'), { ...progressing, lastTransitionTime }]
  }
  const isStuck =
    known !== undefined && known['reason'] !== AVAILABLE && deadlineOf(deployment, known) < Date.parse(now)
  return isStuck ? condition(conditions, say('False', TIMED_OUT, 'has timed out progressing.'), now) : conditions
}

function hasProgressed(before: JsonObject, after: JsonObject): boolean {
  const more = ['updatedReplicas', 'readyReplicas', 'availableReplicas'].some(
    (field) => numberAt(after, field) > numberAt(before, field),
  )
  return more || oldReplicas(after) < oldReplicas(before)
}

function oldReplicas(status: JsonObject): number {
  return numberAt(status, 'replicas') - numberAt(status, 'updatedReplicas')
}

/** Unix ms. */
function deadlineOf(deployment: ApiObject, progressing: JsonObject): number {
  const seconds = numberAt(objectAt(deployment, 'spec'), 'progressDeadlineSeconds')
  return Date.parse(textAt(progressing, 'lastUpdateTime')) + seconds * 1000
}

function availability({ replicas, unavailable }: Goal, available: number): Condition {
  const isEnough = available >= replicas - unavailable
  return {
    type: 'Available',
    status: isEnough ? 'True' : 'False',
    reason: isEnough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: isEnough ? 'Deployment has minimum availability.' : 'Deployment does not have minimum availability.',
  }
}

function told(condition: JsonObject): { readonly reason: string; readonly message: string } {
  return { reason: textAt(condition, 'reason'), message: textAt(condition, 'message') }
}
