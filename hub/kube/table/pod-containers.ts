import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at, isJsonArray } from '../schema/json.ts'

/** What its containers make of a pod. */
export interface PodContainers {
  readonly ready: number
  readonly total: number
  /** The phase, or what keeps a container from running. */
  readonly reason: string
  /** Statuses of those whose restarts count: of the init containers up to the present one, then of all that stay. */
  readonly counted: readonly Json[]
}

/** Init containers that run on (sidecars, with `restartPolicy: Always`) count among the others. */
export function podContainers(pod: ApiObject): PodContainers {
  const sidecars = new Set(
    list(at(pod, 'spec', 'initContainers'))
      .filter(isRestarted)
      .map(nameOf),
  )
  const isSidecar = (status: Json) => sidecars.has(nameOf(status))
  const isServing = (status: Json) => isSidecar(status) && at(status, 'started') === true
  const initial = list(at(pod, 'status', 'initContainerStatuses'))
  const position = initial.findIndex((status) => !hasSucceeded(status) && !isServing(status))
  const seen = position < 0 ? initial : initial.slice(0, position + 1)
  const serving = seen.filter((status) => !hasSucceeded(status) && isServing(status) && at(status, 'ready') === true)
  const total = list(at(pod, 'spec', 'containers')).length + sidecars.size
  const waiting = position < 0 ? undefined : initReason(pod, initial[position], position)
  if (waiting !== undefined && !isTrue(pod, 'Initialized')) {
    return { ready: serving.length, total, reason: waiting, counted: seen }
  }
  const lasting = list(at(pod, 'status', 'containerStatuses'))
  return {
    ready: serving.length + lasting.filter(isRunning).length,
    total,
    reason: lastingReason(pod, lasting, waiting ?? phaseOf(pod)),
    counted: [...seen.filter(isSidecar), ...lasting],
  }
}

function phaseOf(pod: ApiObject): string {
  const isGated = list(at(pod, 'status', 'conditions')).some(
    (each) => at(each, 'type') === 'PodScheduled' && at(each, 'reason') === 'SchedulingGated',
  )
  if (isGated) return 'SchedulingGated'
  return textOr(at(pod, 'status', 'reason'), textOr(at(pod, 'status', 'phase'), 'Unknown'))
}

function initReason(pod: ApiObject, status: Json | undefined, position: number): string {
  const terminated = at(status, 'state', 'terminated')
  if (terminated !== undefined) return `Init:${terminatedText(terminated)}`
  const waiting = textOr(at(status, 'state', 'waiting', 'reason'), '')
  if (waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
  return `Init:${position}/${list(at(pod, 'spec', 'initContainers')).length}`
}

function lastingReason(pod: ApiObject, statuses: readonly Json[], phase: string): string {
  const reason = statuses.map(stopReason).find((each) => each !== undefined) ?? phase
  if (reason !== 'Completed' || !statuses.some(isRunning)) return reason
  return isTrue(pod, 'Ready') ? 'Running' : 'NotReady'
}

function stopReason(status: Json): string | undefined {
  const waiting = textOr(at(status, 'state', 'waiting', 'reason'), '')
  if (waiting !== '') return waiting
  const terminated = at(status, 'state', 'terminated')
  return terminated === undefined ? undefined : terminatedText(terminated)
}

function terminatedText(terminated: Json): string {
  const reason = textOr(at(terminated, 'reason'), '')
  if (reason !== '') return reason
  const signal = at(terminated, 'signal')
  if (typeof signal === 'number' && signal !== 0) return `Signal:${signal}`
  return `ExitCode:${String(at(terminated, 'exitCode') ?? 0)}`
}

function isRunning(status: Json): boolean {
  return (
    stopReason(status) === undefined && at(status, 'ready') === true && at(status, 'state', 'running') !== undefined
  )
}

function hasSucceeded(status: Json): boolean {
  return at(status, 'state', 'terminated', 'exitCode') === 0
}

function isRestarted(container: Json): boolean {
  return at(container, 'restartPolicy') === 'Always'
}

function isTrue(pod: ApiObject, type: string): boolean {
  return list(at(pod, 'status', 'conditions')).some(
    (each) => at(each, 'type') === type && at(each, 'status') === 'True',
  )
}

function nameOf(value: Json): string {
  return textOr(at(value, 'name'), '')
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}

function textOr(value: Json | undefined, other: string): string {
  return typeof value === 'string' && value !== '' ? value : other
}
