import type { JsonObject } from '../../../../../schemas/index.ts'
import {
  arrayAt,
  conditionOf,
  isDeleting,
  isJsonObject,
  nameOf,
  namespaceOf,
  objectAt,
  textAt,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { numberAt } from '../figures.ts'
import { phaseOf } from '../pods.ts'

/** Kubernetes' own: how long the next pod waits after failures in a row. */
const FIRST_WAIT = 10_000
const LONGEST_WAIT = 600_000

export type Action = 'Count' | 'FailIndex' | 'FailJob' | 'Ignore'

export interface Verdict {
  readonly action: Action
  readonly message: string
}

/** It failed, or was taken away before it succeeded; with podReplacementPolicy Failed only once it has ended. */
export function hasFailed(job: ApiObject, pod: ApiObject): boolean {
  const phase = phaseOf(pod)
  if (phase === 'Failed') return true
  if (!isDeleting(pod) || phase === 'Succeeded') return false
  return objectAt(job, 'spec')['podReplacementPolicy'] !== 'Failed' || phase === 'Pending'
}

/** What the first rule that fits says of a failed pod; it counts where none does. */
export function verdictOn(job: ApiObject, pod: ApiObject): Verdict {
  const rules = arrayAt(objectAt(objectAt(job, 'spec'), 'podFailurePolicy'), 'rules').filter(isJsonObject)
  for (const [position, rule] of rules.entries()) {
    const what = isJsonObject(rule['onExitCodes']) ? exitText(rule['onExitCodes'], pod) : conditionText(rule, pod)
    const action = textAt(rule, 'action')
    if (
      what === undefined ||
      (action !== 'FailJob' && action !== 'FailIndex' && action !== 'Ignore' && action !== 'Count')
    ) {
      continue
    }
    return { action, message: `${what} matching ${action} rule at index ${position}` }
  }
  return { action: 'Count', message: '' }
}

/** Ms until the next pod may be made: 10 s after one failure, twice as long after each further one since the last success. */
export function backOff(failed: readonly ApiObject[], succeeded: readonly ApiObject[], now: number): number {
  const last = Math.max(Number.NEGATIVE_INFINITY, ...succeeded.map((pod) => finishedAt(pod, now)))
  const times = failed.map((pod) => finishedAt(pod, now)).filter((time) => time > last)
  if (times.length === 0) return 0
  const wait = Math.min(FIRST_WAIT * 2 ** (times.length - 1), LONGEST_WAIT)
  return Math.max(0, Math.max(...times) + wait - now)
}

/** Unix ms: when the last of its containers ended, as far as that is known. */
export function finishedAt(pod: ApiObject, now: number): number {
  const ends = containersOf(pod).map(({ terminated }) => Date.parse(textAt(terminated, 'finishedAt')))
  const known = ends.filter((time) => !Number.isNaN(time))
  if (known.length > 0) return Math.max(...known)
  const told =
    textAt(conditionOf(pod, 'Ready') ?? {}, 'lastTransitionTime') || textAt(pod.metadata, 'deletionTimestamp')
  return Math.min(Date.parse(told) || now, now)
}

/** Restarts of all containers of pods that run again in their place. */
export function restartsOf(pods: readonly ApiObject[]): number {
  const statuses = pods.flatMap((pod) => [
    ...arrayAt(objectAt(pod, 'status'), 'initContainerStatuses'),
    ...arrayAt(objectAt(pod, 'status'), 'containerStatuses'),
  ])
  return statuses.filter(isJsonObject).reduce((sum, each) => sum + numberAt(each, 'restartCount'), 0)
}

function exitText(rule: JsonObject, pod: ApiObject): string | undefined {
  const wanted = textAt(rule, 'containerName')
  const codes = arrayAt(rule, 'values')
  const isIn = textAt(rule, 'operator') === 'In'
  const found = containersOf(pod).find(({ name, terminated }) => {
    const code = terminated['exitCode']
    if (code === undefined || code === 0 || (wanted !== '' && wanted !== name)) return false
    return codes.includes(code) === isIn
  })
  if (!found) return undefined
  const code = String(found.terminated['exitCode'])
  return `Container ${found.name} for pod ${pathOf(pod)} failed with exit code ${code}`
}

function conditionText(rule: JsonObject, pod: ApiObject): string | undefined {
  const found = arrayAt(rule, 'onPodConditions')
    .filter(isJsonObject)
    .find((pattern) => conditionOf(pod, textAt(pattern, 'type'))?.['status'] === (textAt(pattern, 'status') || 'True'))
  return found ? `Pod ${pathOf(pod)} has condition ${textAt(found, 'type')}` : undefined
}

function containersOf(pod: ApiObject): readonly { readonly name: string; readonly terminated: JsonObject }[] {
  return ['initContainerStatuses', 'containerStatuses']
    .flatMap((list) => arrayAt(objectAt(pod, 'status'), list))
    .filter(isJsonObject)
    .map((status) => ({ name: textAt(status, 'name'), terminated: objectAt(objectAt(status, 'state'), 'terminated') }))
}

function pathOf(pod: ApiObject): string {
  return `${namespaceOf(pod)}/${nameOf(pod)}`
}
