import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isObject, listIn, numberIn, objectIn, textIn } from '../pod/json.ts'
import { readySandbox } from '../state/pod-view.ts'
import type { ContainerRecord } from './container-record.ts'
import { wholeSeconds } from './container-state.ts'
import type { Phase } from './phase.ts'
import type { StatusInput } from './status-input.ts'

/** A condition as it is now; when it became so is found from the status before. */
interface Found {
  readonly isTrue: boolean
  readonly reason?: string
  readonly message?: string
}

/** The conditions of a pod that are its node's (generate.go of a kubelet), with the times since when they hold. */
export function podConditions(
  input: StatusInput,
  before: JsonObject,
  records: readonly ContainerRecord[],
  phase: Phase,
): readonly JsonObject[] {
  const containersReady = readyContainers(records, phase)
  const found: readonly (readonly [string, Found | undefined])[] = [
    ['DisruptionTarget', disruption(input)],
    ['PodReadyToStartContainers', sandboxed(input)],
    ['Initialized', initialized(records, phase)],
    ['Ready', containersReady.isTrue ? gatesOpen(input) : containersReady],
    ['ContainersReady', containersReady],
    ['PodScheduled', { isTrue: true }],
  ]
  return found.flatMap(([type, now]) => {
    const known = conditionIn(before, type)
    if (now) return [shown(type, now, known, input)]
    return known ? [known] : []
  })
}

/** Ended so that others can go on, through no fault of its own: not one that is beyond its own limits (a kubelet's evictPod). */
function disruption({ ended }: StatusInput): Found | undefined {
  if (ended?.reason !== 'Evicted' || !/^The node was low on resource/.test(ended.message)) return undefined
  return { isTrue: true, reason: 'TerminationByKubelet', message: ended.message }
}

function sandboxed({ view, obstacle }: StatusInput): Found {
  return readySandbox(view) ? { isTrue: true } : { isTrue: false, ...obstacle }
}

function initialized(records: readonly ContainerRecord[], phase: Phase): Found {
  if (phase === 'Succeeded') return { isTrue: true, reason: 'PodCompleted' }
  // Sidecars that start anew do not take it back.
  if (records.some(({ role, state }) => role === 'app' && state.is !== 'waiting')) return { isTrue: true }
  const missing = records.filter(
    ({ role, isStarted, isReady }) => (role === 'init' && !isReady) || (role === 'sidecar' && !isStarted),
  )
  if (missing.length === 0) return { isTrue: true }
  return {
    isTrue: false,
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: ${names(missing)}`,
  }
}

function readyContainers(records: readonly ContainerRecord[], phase: Phase): Found {
  if (phase === 'Succeeded') return { isTrue: false, reason: 'PodCompleted' }
  if (phase === 'Failed') return { isTrue: false, reason: 'PodFailed' }
  const missing = records.filter(({ role, isReady }) => role !== 'init' && !isReady)
  if (missing.length === 0) return { isTrue: true }
  return { isTrue: false, reason: 'ContainersNotReady', message: `containers with unready status: ${names(missing)}` }
}

/** Conditions that others have to set before the pod is ready. */
function gatesOpen({ pod }: StatusInput): Found {
  const status = objectIn(pod.source, 'status')
  const closed = pod.spec.readinessGates.flatMap(({ conditionType }) => {
    const condition = conditionIn(status, conditionType)
    if (!condition) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    const value = textIn(condition, 'status') ?? ''
    return value === 'True' ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${value}`]
  })
  if (closed.length === 0) return { isTrue: true }
  return { isTrue: false, reason: 'ReadinessGatesNotReady', message: closed.join(', ') }
}

function shown(
  type: string,
  { isTrue, reason, message }: Found,
  known: Json | undefined,
  input: StatusInput,
): JsonObject {
  const status = isTrue ? 'True' : 'False'
  const since = textIn(known, 'status') === status ? textIn(known, 'lastTransitionTime') : undefined
  const generation = numberIn(objectIn(input.pod.source, 'metadata'), 'generation')
  return {
    ...{ type, status },
    ...(reason ? { reason } : {}),
    ...(message ? { message } : {}),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    lastTransitionTime: since ?? wholeSeconds(input.now),
  }
}

function conditionIn(status: JsonObject, type: string): JsonObject | undefined {
  const found = listIn(status, 'conditions').find((each) => textIn(each, 'type') === type)
  return isObject(found) ? found : undefined
}

function names(records: readonly ContainerRecord[]): string {
  return `[${records.map(({ container }) => container.name).join(' ')}]`
}
