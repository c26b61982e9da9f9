import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { at, isJsonArray } from '../schema/json.ts'
import { ageOf } from './age.ts'
import { AGE, type Column, column, NAME } from './columns.ts'
import { podContainers } from './pod-containers.ts'

/** What `kubectl get pods` prints. */
export const POD_COLUMNS: readonly Column[] = [
  NAME,
  column('Ready', (pod) => {
    const { ready, total } = podContainers(pod)
    return `${ready}/${total}`
  }),
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
  const { reason } = podContainers(pod)
  if (at(pod.metadata, 'deletionTimestamp') === undefined) return reason
  if (at(pod, 'status', 'reason') === 'NodeLost') return 'Unknown'
  const phase = at(pod, 'status', 'phase')
  return phase === 'Succeeded' || phase === 'Failed' ? reason : 'Terminating'
}

function restarts(pod: ApiObject, now: number): string {
  const { counted } = podContainers(pod)
  const count = counted.reduce<number>((sum, each) => sum + numberOr(at(each, 'restartCount'), 0), 0)
  const last = counted
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
