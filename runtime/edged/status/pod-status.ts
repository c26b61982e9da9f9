import type { JsonObject } from '../../../schemas/index.ts'
import { listIn, numberIn, objectIn, textIn } from '../pod/json.ts'
import { qosClass } from '../pod/qos.ts'
import { readySandbox } from '../state/pod-view.ts'
import { podConditions } from './conditions.ts'
import { type ContainerRecord, containerRecords } from './container-record.ts'
import { lost, wholeSeconds } from './container-state.ts'
import { containerStatus, ephemeralStatuses } from './container-status.ts'
import { isTerminal, type Phase, phaseOf } from './phase.ts'
import type { StatusInput } from './status-input.ts'

/** The PodStatus that follows from what is so. The same facts give the same status: only a fact that changes makes another one. */
export function podStatus(input: StatusInput): JsonObject {
  const { pod, startedAt } = input
  const before = input.before ?? objectIn(pod.source, 'status')
  const isOver = (input.isEnding || input.ended !== undefined) && !runs(input)
  const seen = containerRecords(input, before)
  const phase = phaseNow(input, before, seen, isOver)
  const records = isOver ? seen.map((each) => closed(each, seen)) : seen
  const generation = numberIn(objectIn(pod.source, 'metadata'), 'generation')
  return {
    phase,
    conditions: podConditions(input, before, records, phase),
    ...explanation(input, before, phase),
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    ...addresses(input, before),
    qosClass: qosClass(pod.spec),
    startTime: textIn(before, 'startTime') ?? wholeSeconds(startedAt),
    ...containers(input, records, isOver),
  }
}

/** A pod does not leave a phase that ends it, and is in none while something of it runs: who made it makes the next one by this. */
function phaseNow(input: StatusInput, before: JsonObject, records: readonly ContainerRecord[], isOver: boolean): Phase {
  const { pod, view, ended } = input
  const known = textIn(before, 'phase')
  if (isTerminal(known)) return known
  const apps = new Set(pod.spec.containers.map(({ name }) => name))
  const sandbox = readySandbox(view)?.id
  const isInitialized = view.containers.some((each) => each.sandbox === sandbox && apps.has(each.metadata.name))
  // One from a file may begin again under the same uid.
  const isForGood = isOver && !pod.isStatic
  const phase = phaseOf(records, { restartPolicy: pod.spec.restartPolicy, isInitialized, isOver: isForGood })
  if ((isOver && ended) || (isForGood && !isTerminal(phase))) return 'Failed'
  if (isTerminal(phase) && runs(input)) return known === 'Running' ? known : 'Pending'
  return phase
}

/** The end of a container of a pod that is over: one that ran and was not seen to end has failed. */
function closed(record: ContainerRecord, all: readonly ContainerRecord[]): ContainerRecord {
  if (record.state.is === 'terminated' || !hasBegun(record, all)) return record
  return { ...record, state: lost(record.containerId) }
}

/** It ran, or its turn had come. */
function hasBegun(record: ContainerRecord, all: readonly ContainerRecord[]): boolean {
  const hasRun = ({ state, last }: ContainerRecord) => state.is !== 'waiting' || last !== undefined
  if (record.role === 'app') return all.some((each) => each.role === 'app' && hasRun(each))
  return all.slice(all.indexOf(record)).some(hasRun)
}

function explanation({ ended, obstacle }: StatusInput, before: JsonObject, phase: Phase): JsonObject {
  if (isTerminal(phase) && isTerminal(textIn(before, 'phase'))) {
    const [reason, message] = [textIn(before, 'reason'), textIn(before, 'message')]
    return { ...(reason ? { reason } : {}), ...(message ? { message } : {}) }
  }
  const why = phase === 'Failed' ? ended : phase === 'Pending' ? obstacle : undefined
  return why ? { ...why } : {}
}

/** A pod whose network is gone is still known by the addresses that it had. */
function addresses({ pod, view, hostIps }: StatusInput, before: JsonObject): JsonObject {
  const ofSandbox = pod.spec.hostNetwork ? hostIps : (readySandbox(view)?.ips ?? [])
  const known = listIn(before, 'podIPs').flatMap((each) => textIn(each, 'ip') ?? [])
  const podIps = ofSandbox.length > 0 ? ofSandbox : known
  const ips = (list: readonly string[]) => list.map((ip) => ({ ip }))
  return {
    ...(hostIps[0] === undefined ? {} : { hostIP: hostIps[0], hostIPs: ips(hostIps) }),
    ...(podIps[0] === undefined ? {} : { podIP: podIps[0], podIPs: ips(podIps) }),
  }
}

/** Of a pod that ended before any of its containers began there are none to tell of. */
function containers({ pod }: StatusInput, records: readonly ContainerRecord[], isOver: boolean): JsonObject {
  if (isOver && records.every(({ state, last }) => state.is === 'waiting' && !last)) return {}
  const inits = records.filter(({ role }) => role !== 'app')
  const ephemeral = ephemeralStatuses(pod)
  return {
    ...(inits.length > 0 ? { initContainerStatuses: inits.map(containerStatus) } : {}),
    containerStatuses: records.filter(({ role }) => role === 'app').map(containerStatus),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
  }
}

function runs({ view }: StatusInput): boolean {
  return view.containers.some(({ state }) => state === 'running')
}
