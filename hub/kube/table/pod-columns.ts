import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at, isJsonArray } from '../schema/json.ts'
import { ageOf } from './age.ts'
import { AGE, type Column, column, NAME } from './columns.ts'

/** What `kubectl get pods` prints. */
export const POD_COLUMNS: readonly Column[] = [
  NAME,
  column(
    'Ready',
    (pod) => `${statuses(pod).filter((each) => at(each, 'ready') === true).length}/${containerCount(pod)}`,
  ),
  column('Status', podStatus),
  column('Restarts', restarts),
  AGE,
  column('IP', (pod) => orNone(at(pod, 'status', 'podIP')), { priority: 1 }),
  column('Node', (pod) => orNone(at(pod, 'spec', 'nodeName')), { priority: 1 }),
  column('Nominated Node', (pod) => orNone(at(pod, 'status', 'nominatedNodeName')), { priority: 1 }),
  column('Readiness Gates', readinessGates, { priority: 1 }),
]

/** Phase, or the reason of the container that keeps the pod from running. */
function podStatus(pod: ApiObject): string {
  const told = textOr(at(pod, 'status', 'reason'), textOr(at(pod, 'status', 'phase'), 'Unknown'))
  const phase = isGated(pod) ? 'SchedulingGated' : told
  const initializing = initReason(pod)
  const reason = initializing ?? containerReason(pod, phase)
  if (at(pod.metadata, 'deletionTimestamp') === undefined) return reason
  if (at(pod, 'status', 'reason') === 'NodeLost') return 'Unknown'
  return phase === 'Succeeded' || phase === 'Failed' ? reason : 'Terminating'
}

function isGated(pod: ApiObject): boolean {
  return list(at(pod, 'status', 'conditions')).some(
    (each) => at(each, 'type') === 'PodScheduled' && at(each, 'reason') === 'SchedulingGated',
  )
}

function initReason(pod: ApiObject): string | undefined {
  const all = list(at(pod, 'status', 'initContainerStatuses'))
  const total = list(at(pod, 'spec', 'initContainers')).length
  for (const [position, status] of all.entries()) {
    const terminated = at(status, 'state', 'terminated')
    if (at(terminated, 'exitCode') === 0 || at(status, 'started') === true) continue
    if (terminated !== undefined) return `Init:${terminatedText(terminated)}`
    const waiting = textOr(at(status, 'state', 'waiting', 'reason'), '')
    return waiting !== '' && waiting !== 'PodInitializing' ? `Init:${waiting}` : `Init:${position}/${total}`
  }
  return undefined
}

function containerReason(pod: ApiObject, phase: string): string {
  let reason = phase
  let hasRunning = false
  for (const status of statuses(pod).toReversed()) {
    const waiting = textOr(at(status, 'state', 'waiting', 'reason'), '')
    const terminated = at(status, 'state', 'terminated')
    if (waiting !== '') reason = waiting
    else if (terminated !== undefined) reason = terminatedText(terminated)
    else if (at(status, 'ready') === true && at(status, 'state', 'running') !== undefined) hasRunning = true
  }
  if (reason !== 'Completed' || !hasRunning) return reason
  const isReady = list(at(pod, 'status', 'conditions')).some(
    (each) => at(each, 'type') === 'Ready' && at(each, 'status') === 'True',
  )
  return isReady ? 'Running' : 'NotReady'
}

function terminatedText(terminated: Json): string {
  const reason = textOr(at(terminated, 'reason'), '')
  if (reason !== '') return reason
  const signal = at(terminated, 'signal')
  if (typeof signal === 'number' && signal !== 0) return `Signal:${signal}`
  return `ExitCode:${String(at(terminated, 'exitCode') ?? 0)}`
}

function restarts(pod: ApiObject, now: number): string {
  const count = statuses(pod).reduce<number>((sum, each) => sum + numberOr(at(each, 'restartCount'), 0), 0)
  const last = statuses(pod)
    .map((each) => textOr(at(each, 'lastState', 'terminated', 'finishedAt'), ''))
    .sort()
    .at(-1)
  return count === 0 || !last ? String(count) : `${count} (${ageOf(last, now)} ago)`
}

function readinessGates(pod: ApiObject): string {
  const gates = list(at(pod, 'spec', 'readinessGates'))
  if (gates.length === 0) return '<none>'
  const conditions = list(at(pod, 'status', 'conditions'))
  const isTrue = (gate: Json) =>
    conditions.some((each) => at(each, 'type') === at(gate, 'conditionType') && at(each, 'status') === 'True')
  return `${gates.filter(isTrue).length}/${gates.length}`
}

function statuses(pod: ApiObject): readonly Json[] {
  return list(at(pod, 'status', 'containerStatuses'))
}

function containerCount(pod: ApiObject): number {
  return list(at(pod, 'spec', 'containers')).length
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}

function orNone(value: Json | undefined): string {
  return textOr(value, '<none>')
}

function textOr(value: Json | undefined, other: string): string {
  return typeof value === 'string' && value !== '' ? value : other
}

function numberOr(value: Json | undefined, other: number): number {
  return typeof value === 'number' ? value : other
}
