import { collide, hostPortsOf } from './host-ports.ts'
import { isObject, numberIn, objectIn } from './json.ts'
import { suitsNode } from './node-affinity.ts'
import type { Waiting } from './obstacle.ts'
import { type Labels, type Pod, podKey } from './pod.ts'
import { combined, type PodRequests, podRequests, sum } from './pod-requests.ts'
import { qosClass } from './qos.ts'
import { sysctlProblem } from './sysctls.ts'

/** This node, when a pod comes to it. */
export interface AdmissionNode {
  /** Of its Node; undefined as long as the cloud has not said them: then nobody is turned away by them. */
  readonly labels: Labels | undefined
  readonly allocatable: PodRequests & { readonly pods: number }
  /** Pods that were admitted and have not ended. */
  readonly others: readonly Pod[]
  readonly capabilities: {
    /** Kernel parameters that pods may set beside the safe ones. */
    readonly sysctls: readonly string[]
  }
  /** Conditions under which it takes no more: `DiskPressure`, `MemoryPressure`, `PIDPressure`. */
  readonly pressures?: readonly string[]
}

/** Kubernetes, SystemCriticalPriority. */
const CRITICAL = 2_000_000_000

/**
 * Why this node does not take a pod though it could read it; for its status, whose phase is Failed for good. In the order and the
 * words of a kubelet. To be asked once for each pod, before it begins: what is right then does not end it later.
 */
export function admissionProblem(pod: Pod, node: AdmissionNode): Waiting | undefined {
  return (
    pressureProblem(pod, node.pressures ?? []) ??
    sysctls(pod, node) ??
    room(pod, node) ??
    affinity(pod, node) ??
    hostPorts(pod, node.others)
  )
}

/** Under memory pressure alone there is still room for those who say what they need. */
function pressureProblem(pod: Pod, pressures: readonly string[]): Waiting | undefined {
  if (pressures.length === 0 || isCritical(pod)) return undefined
  const isMemoryAlone = pressures.every((type) => type === 'MemoryPressure')
  if (isMemoryAlone && qosClass(pod.spec) !== 'BestEffort') return undefined
  return { reason: 'Evicted', message: `The node had condition: [${pressures.join(' ')}]. ` }
}

function sysctls(pod: Pod, { capabilities }: AdmissionNode): Waiting | undefined {
  const message = sysctlProblem(pod, capabilities.sysctls)
  return message === undefined ? undefined : { reason: 'SysctlForbidden', message }
}

function room(pod: Pod, { allocatable, others }: AdmissionNode): Waiting | undefined {
  const asked = podRequests(pod)
  const used = others.map(podRequests).reduce((total, one) => combined(total, one, sum), {
    ...{ milliCpu: 0, memoryBytes: 0, diskBytes: 0 },
  })
  const counts: readonly (readonly [string, number, number, number])[] = [
    ['pods', 1, others.length, allocatable.pods],
    ['cpu', asked.milliCpu, used.milliCpu, allocatable.milliCpu],
    ['memory', asked.memoryBytes, used.memoryBytes, allocatable.memoryBytes],
    ['ephemeral-storage', asked.diskBytes, used.diskBytes, allocatable.diskBytes],
  ]
  const short = counts.find(([, requested, taken, capacity]) => requested > 0 && requested > capacity - taken)
  if (!short) return undefined
  const [name, requested, taken, capacity] = short
  const message = `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${taken}, capacity: ${capacity}`
  return { reason: `OutOf${name}`, message }
}

function affinity(pod: Pod, { labels }: AdmissionNode): Waiting | undefined {
  if (!labels || suitsNode(objectIn(pod.source, 'spec'), { name: pod.spec.nodeName, labels })) return undefined
  return failed('NodeAffinity', "node(s) didn't match Pod's node affinity/selector")
}

function hostPorts(pod: Pod, others: readonly Pod[]): Waiting | undefined {
  const wanted = hostPortsOf(pod)
  for (const other of wanted.length > 0 ? others : []) {
    const taken = hostPortsOf(other)
    const port = wanted.find((one) => taken.some((each) => collide(one, each)))
    if (!port) continue
    const detail = `${port.protocol} ${port.port} is that of ${podKey(other)}`
    return failed('NodePorts', `node(s) didn't have free ports for the requested pod ports: ${detail}`)
  }
  return undefined
}

function failed(predicate: string, why: string): Waiting {
  return { reason: predicate, message: `Predicate ${predicate} failed: ${why}` }
}

function isCritical({ isStatic, source }: Pod): boolean {
  const { spec } = source
  return isStatic || (isObject(spec) && (numberIn(spec, 'priority') ?? 0) >= CRITICAL)
}
