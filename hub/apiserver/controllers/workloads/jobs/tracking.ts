import type { JsonObject } from '../../../../../schemas/index.ts'
import { arrayAt, finalizersOf, objectAt, uidOf, withMetadata } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { edit, PODS } from '../../changes.ts'
import { findCondition } from '../conditions.ts'
import { numberAt } from '../figures.ts'
import type { Work } from '../making.ts'
import { phaseOf } from '../pods.ts'
import { hasFailed, verdictOn } from './failures.ts'

/** Holds a pod of a job until its end was counted, also across crashes. */
export const TRACKING = 'batch.kubernetes.io/job-tracking'

/** How pods of a job have ended, those that are gone too. */
export interface Tally {
  readonly succeeded: number
  readonly failed: number
  /** What the status remembers of pods that are counted and still held. */
  readonly uncounted: JsonObject
}

/**
 * Counts the pods that ended; those that still run while the job fails have failed with it. A pod goes from held to named in the
 * status, to free, to counted: whatever is cut short goes on from where it was, and no pod counts twice or never.
 */
export function tally(job: ApiObject, pods: readonly ApiObject[]): Tally {
  const status = objectAt(job, 'status')
  const known = objectAt(status, 'uncountedTerminatedPods')
  const held = new Map(pods.filter(isTracked).map((pod) => [uidOf(pod), pod]))
  const counted = { succeeded: numberAt(status, 'succeeded'), failed: numberAt(status, 'failed') }
  const uncounted = { succeeded: uids(known, 'succeeded'), failed: uids(known, 'failed') }
  for (const field of ['succeeded', 'failed'] as const) {
    const free = uncounted[field].filter((uid) => !held.has(uid))
    counted[field] += free.length
    uncounted[field] = uncounted[field].filter((uid) => held.has(uid))
  }
  const named = new Set([...uncounted.succeeded, ...uncounted.failed])
  const isFailing = findCondition(arrayAt(status, 'conditions'), 'FailureTarget')?.['status'] === 'True'
  for (const [uid, pod] of held) {
    if (named.has(uid)) continue
    if (phaseOf(pod) === 'Succeeded') uncounted.succeeded.push(uid)
    else if ((isFailing || hasFailed(job, pod)) && verdictOn(job, pod).action !== 'Ignore') uncounted.failed.push(uid)
  }
  return {
    succeeded: counted.succeeded,
    failed: counted.failed,
    uncounted: Object.fromEntries(Object.entries(uncounted).filter(([, list]) => list.length > 0)),
  }
}

/** Pods that need not be held any more: the status names them, or nothing depends on them. */
export function settled(job: ApiObject, pods: readonly ApiObject[]): readonly ApiObject[] {
  const known = objectAt(objectAt(job, 'status'), 'uncountedTerminatedPods')
  const named = new Set([...uids(known, 'succeeded'), ...uids(known, 'failed')])
  return pods.filter((pod) => {
    if (!isTracked(pod)) return false
    return named.has(uidOf(pod)) || (hasFailed(job, pod) && verdictOn(job, pod).action === 'Ignore')
  })
}

export function isTracked(pod: ApiObject): boolean {
  return finalizersOf(pod).includes(TRACKING)
}

export async function letGo({ api, signal }: Pick<Work, 'api' | 'signal'>, pods: readonly ApiObject[]): Promise<void> {
  const propose = (current: ApiObject) => {
    const finalizers = finalizersOf(current).filter((each) => each !== TRACKING)
    return withMetadata(current, { finalizers: finalizers.length === 0 ? undefined : finalizers })
  }
  await Promise.all(pods.filter(isTracked).map((pod) => edit(api, PODS, pod, '', propose, signal)))
}

function uids(uncounted: JsonObject, field: string): string[] {
  return arrayAt(uncounted, field).filter((each) => typeof each === 'string')
}
