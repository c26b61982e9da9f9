import { arrayAt, isJsonObject, objectAt, textAt } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { findCondition } from '../conditions.ts'
import { numberAt } from '../figures.ts'
import { isActive, phaseOf } from '../pods.ts'
import { backOff, hasFailed, restartsOf, type Verdict, verdictOn } from './failures.ts'
import { formatIndexes, freeIndexes, indexOf, parseIndexes } from './indexes.ts'
import { type Tally, tally } from './tracking.ts'

const FAILURES = 'batch.kubernetes.io/job-index-failure-count'

export interface End {
  readonly reason: string
  readonly message: string
}

/** How a job stands, and what is to be done. */
export interface Assessment {
  readonly tally: Tally
  /** All that ended so far. */
  readonly succeeded: number
  readonly failed: number
  readonly completedIndexes: string
  readonly failedIndexes: string | undefined
  readonly failure: End | undefined
  readonly success: End | undefined
  /** Pods that should run now. */
  readonly wanted: number
  /** Ms until a pod may be made in the place of one that failed. */
  readonly wait: number
  /** The next `count` indexes to work on. */
  nextIndexes(count: number): readonly number[]
  /** Failures of an index before, for its next pod. */
  failuresOf(index: number): number
}

/** `pods` are all pods of the job, those that ended too. */
export function assess(job: ApiObject, pods: readonly ApiObject[], now: number): Assessment {
  const spec = objectAt(job, 'spec')
  const counted = tally(job, pods)
  const succeeded = counted.succeeded + arrayAt(counted.uncounted, 'succeeded').length
  const failed = counted.failed + arrayAt(counted.uncounted, 'failed').length
  const verdicts = pods.filter((pod) => hasFailed(job, pod)).map((pod) => ({ pod, verdict: verdictOn(job, pod) }))
  const counting = verdicts.filter(({ verdict }) => verdict.action !== 'Ignore').map(({ pod }) => pod)
  const ended = pods.filter((pod) => phaseOf(pod) === 'Succeeded')
  const indexes = indexesOf(job, pods, verdicts)
  const done = indexes ? indexes.completed.size : succeeded
  const active = pods.filter(isActive)
  const policy = verdicts.find(({ verdict }) => verdict.action === 'FailJob')?.verdict
  const taken = new Set([...active.map(indexOf), ...(indexes ? [...indexes.completed, ...indexes.failed] : [])])
  return {
    tally: counted,
    succeeded: done,
    failed,
    completedIndexes: indexes ? formatIndexes(indexes.completed) : '',
    failedIndexes: spec['backoffLimitPerIndex'] === undefined ? undefined : formatIndexes(indexes?.failed ?? new Set()),
    failure: known(job, 'FailureTarget') ?? failureOf(job, { failed, active, policy, indexes, now }),
    success: known(job, 'SuccessCriteriaMet') ?? successPolicy(job, indexes?.completed),
    wanted: wantedOf(job, done, active.length),
    wait: spec['backoffLimitPerIndex'] === undefined ? backOff(counting, ended, now) : 0,
    nextIndexes: (count) => freeIndexes(count, numberAt(spec, 'completions'), taken),
    failuresOf: (index) => failuresOf(counting.filter((pod) => indexOf(pod) === index)),
  }
}

/** How often pods of one index failed, as the pods themselves remember it. */
export function failureAnnotation(failures: number): Readonly<Record<string, string>> {
  return { [FAILURES]: String(failures) }
}

interface Indexes {
  readonly completed: ReadonlySet<number>
  readonly failed: ReadonlySet<number>
}

function indexesOf(
  job: ApiObject,
  pods: readonly ApiObject[],
  verdicts: readonly { readonly pod: ApiObject; readonly verdict: Verdict }[],
): Indexes | undefined {
  const spec = objectAt(job, 'spec')
  if (textAt(spec, 'completionMode') !== 'Indexed') return undefined
  const status = objectAt(job, 'status')
  const completions = numberAt(spec, 'completions')
  const completed = new Set(parseIndexes(textAt(status, 'completedIndexes'), completions))
  for (const pod of pods) {
    const index = indexOf(pod)
    if (phaseOf(pod) === 'Succeeded' && index >= 0 && index < completions) completed.add(index)
  }
  const failed = new Set(parseIndexes(textAt(status, 'failedIndexes'), completions))
  const limit = spec['backoffLimitPerIndex']
  if (typeof limit !== 'number') return { completed, failed: new Set() }
  for (const { pod, verdict } of verdicts) {
    const isLast = verdict.action === 'FailIndex' || (verdict.action === 'Count' && failuresOf([pod]) > limit)
    if (isLast && !completed.has(indexOf(pod))) failed.add(indexOf(pod))
  }
  return { completed, failed }
}

function failuresOf(failed: readonly ApiObject[]): number {
  const before = (pod: ApiObject) => Number(objectAt(pod.metadata, 'annotations')[FAILURES] ?? 0) || 0
  return Math.max(0, ...failed.map((pod) => before(pod) + 1))
}

interface Facts {
  readonly failed: number
  readonly active: readonly ApiObject[]
  readonly policy: Verdict | undefined
  readonly indexes: Indexes | undefined
  readonly now: number
}

function failureOf(job: ApiObject, { failed, active, policy, indexes, now }: Facts): End | undefined {
  const spec = objectAt(job, 'spec')
  const limit = numberAt(spec, 'backoffLimit', 6)
  const isOnFailure = textAt(objectAt(objectAt(spec, 'template'), 'spec'), 'restartPolicy') === 'OnFailure'
  const restarts = isOnFailure ? restartsOf(active) : 0
  if (policy) return { reason: 'PodFailurePolicy', message: policy.message }
  if (failed > limit || (restarts > 0 && restarts >= limit)) {
    return { reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  }
  if (untilDeadline(job, now) <= 0) {
    return { reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  }
  const most = spec['maxFailedIndexes']
  const lost = indexes?.failed.size ?? 0
  if (typeof most === 'number' && lost > most) {
    const message = 'Job has exceeded the specified maximal number of failed indexes'
    return { reason: 'MaxFailedIndexesExceeded', message }
  }
  const isOver = lost > 0 && lost + (indexes?.completed.size ?? 0) >= numberAt(spec, 'completions')
  return isOver ? { reason: 'FailedIndexes', message: 'Job has failed indexes' } : undefined
}

/** Ms that a job may still be active; Infinity where it has no deadline, or has not begun. */
export function untilDeadline(job: ApiObject, now: number): number {
  const spec = objectAt(job, 'spec')
  const seconds = spec['activeDeadlineSeconds']
  const started = Date.parse(textAt(objectAt(job, 'status'), 'startTime'))
  if (typeof seconds !== 'number' || spec['suspend'] === true || Number.isNaN(started)) return Number.POSITIVE_INFINITY
  return started + seconds * 1000 - now
}

function successPolicy(job: ApiObject, completed: ReadonlySet<number> | undefined): End | undefined {
  const spec = objectAt(job, 'spec')
  const rules = arrayAt(objectAt(spec, 'successPolicy'), 'rules').filter(isJsonObject)
  if (!completed) return undefined
  const position = rules.findIndex((rule) => {
    const wanted = parseIndexes(textAt(rule, 'succeededIndexes'), numberAt(spec, 'completions'))
    const met =
      rule['succeededIndexes'] === undefined ? completed : new Set([...wanted].filter((each) => completed.has(each)))
    return met.size >= numberAt(rule, 'succeededCount', wanted.size)
  })
  return position < 0 ? undefined : { reason: 'SuccessPolicy', message: `Matched rules at index ${position}` }
}

/** Where no number of completions is asked for, one success is enough, and no more pods are made after it. */
function wantedOf(job: ApiObject, done: number, active: number): number {
  const spec = objectAt(job, 'spec')
  const parallelism = numberAt(spec, 'parallelism', 1)
  const { completions } = spec
  if (typeof completions !== 'number') return done > 0 ? active : parallelism
  return Math.max(0, Math.min(parallelism, completions - done))
}

function known(job: ApiObject, type: string): End | undefined {
  const condition = findCondition(arrayAt(objectAt(job, 'status'), 'conditions'), type)
  if (condition?.['status'] !== 'True') return undefined
  return { reason: textAt(condition, 'reason'), message: textAt(condition, 'message') }
}
