import type { Json, JsonObject } from '../../../../../schemas/index.ts'
import { arrayAt, isDeleting, objectAt, textAt, timestamp, withFields } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { findCondition, setCondition } from '../conditions.ts'
import { numberAt, withoutZeros } from '../figures.ts'
import { isActive, isOver, isReady } from '../pods.ts'
import type { Assessment, End } from './assess.ts'

export const REACHED: End = { reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }

/** Complete or Failed, for good. */
export function endOf(job: ApiObject): 'Complete' | 'Failed' | undefined {
  const conditions = arrayAt(objectAt(job, 'status'), 'conditions')
  const isTrue = (type: string) => findCondition(conditions, type)?.['status'] === 'True'
  return isTrue('Complete') ? 'Complete' : isTrue('Failed') ? 'Failed' : undefined
}

export function isSuspended(job: ApiObject): boolean {
  return objectAt(job, 'spec')['suspend'] === true
}

/** Active pods are gone, or going, and all that ended are counted: the job may say that it has ended. */
export function isQuiet(pods: readonly ApiObject[], { tally }: Assessment): boolean {
  return !pods.some((pod) => !isOver(pod)) && Object.keys(tally.uncounted).length === 0
}

/** The status of a job that goes on, or is about to end. */
export function jobStatus(job: ApiObject, pods: readonly ApiObject[], found: Assessment, now: number): JsonObject {
  const active = pods.filter(isActive)
  const before = objectAt(job, 'status')
  const startTime = isSuspended(job) ? undefined : (before['startTime'] ?? timestamp(now))
  const counted = withoutZeros({
    active: active.length,
    succeeded: found.completedIndexes === '' ? found.tally.succeeded : found.succeeded,
    failed: found.tally.failed,
    completedIndexes: found.completedIndexes === '' ? undefined : found.completedIndexes,
  })
  const status = {
    ...counted,
    ready: active.filter(isReady).length,
    terminating: pods.filter((pod) => isDeleting(pod) && !isOver(pod)).length,
    uncountedTerminatedPods: found.tally.uncounted,
    conditions: [...suspension(job, arrayAt(before, 'conditions'), now)],
  }
  return withFields(status, {
    startTime: endOf(job) ? before['startTime'] : startTime,
    failedIndexes: found.failedIndexes,
    conditions: status.conditions.length === 0 ? undefined : status.conditions,
  })
}

/** The status with the end of the job: what it is heading for first, and the end itself once everything is quiet. */
export function endingStatus(
  status: JsonObject,
  end: { readonly isGood: boolean; readonly why: End },
  isDone: boolean,
  now: number,
): JsonObject {
  const time = timestamp(now)
  const types = end.isGood ? ['SuccessCriteriaMet', 'Complete'] : ['FailureTarget', 'Failed']
  const conditions = types
    .slice(0, isDone ? 2 : 1)
    .reduce<readonly Json[]>(
      (all, type) => setCondition(all, { type, status: 'True', ...end.why }, time, { lastProbeTime: time }),
      arrayAt(status, 'conditions'),
    )
  return { ...status, ...(isDone && end.isGood ? { completionTime: time } : {}), conditions }
}

/** Unix ms at which a job that has ended is taken away by itself; undefined for one that stays. */
export function expiryOf(job: ApiObject): number | undefined {
  const type = endOf(job)
  const seconds = objectAt(job, 'spec')['ttlSecondsAfterFinished']
  if (!type || typeof seconds !== 'number') return undefined
  const condition = findCondition(arrayAt(objectAt(job, 'status'), 'conditions'), type) ?? {}
  return Date.parse(textAt(condition, 'lastTransitionTime')) + seconds * 1000
}

export function isComplete(job: ApiObject, pods: readonly ApiObject[], { succeeded }: Assessment): boolean {
  if (pods.some(isActive)) return false
  const { completions } = objectAt(job, 'spec')
  return typeof completions === 'number' ? succeeded >= numberAt(objectAt(job, 'spec'), 'completions') : succeeded > 0
}

function suspension(job: ApiObject, conditions: readonly Json[], now: number): readonly Json[] {
  const known = findCondition(conditions, 'Suspended')
  const time = timestamp(now)
  const more = { lastProbeTime: time }
  if (isSuspended(job)) {
    const told = { reason: 'JobSuspended', message: 'Job suspended' }
    return setCondition(conditions, { type: 'Suspended', status: 'True', ...told }, time, more)
  }
  if (!known) return conditions
  const told = { reason: 'JobResumed', message: 'Job resumed' }
  return setCondition(conditions, { type: 'Suspended', status: 'False', ...told }, time, more)
}
