import type { Pod } from '../pod/pod.ts'
import { podRequests } from '../pod/pod-requests.ts'
import type { Resource } from './eviction-signals.ts'
import { diskOf, memoryOf, type PodUse } from './pod-usage.ts'

export interface Candidate {
  readonly pod: Pod
  /** Undefined where nobody can tell. */
  readonly use: PodUse | undefined
}

/** Pods of the system have at least this priority (Kubernetes, system-cluster-critical). */
const CRITICAL = 2_000_000_000
const MIRROR = 'kubernetes.io/config.mirror'

/**
 * Those that may go, the first to go first: those of which nothing is known or that use more than they asked for, then the least important, then those that use the
 * most beyond what they asked for (Kubernetes, Node-pressure Eviction). Critical pods and those from files stay: a kubelet does not evict
 * them either, since nobody would make them anew.
 */
export function evictionOrder(candidates: readonly Candidate[], resource: Resource): readonly Candidate[] {
  const beyond = (candidate: Candidate) => usedBeyond(candidate, resource)
  return candidates
    .filter(({ pod }) => !isCritical(pod))
    .toSorted((a, b) => {
      const [one, other] = [beyond(a), beyond(b)]
      return need(other) - need(one) || priorityOf(a.pod) - priorityOf(b.pod) || compare(other, one)
    })
}

export function isCritical(pod: Pod): boolean {
  return pod.isStatic || pod.annotations[MIRROR] !== undefined || priorityOf(pod) >= CRITICAL
}

/** What it asked for of a resource. A node keeps no account of inodes: nobody asks for them. */
function requestOf(pod: Pod, resource: Resource): number {
  if (resource === 'inodes') return 0
  const { memoryBytes, diskBytes } = podRequests(pod)
  return resource === 'memory' ? memoryBytes : diskBytes
}

/** Infinite where nothing is known. Inodes are ranked by the bytes that a pod has on disk. */
function usedBeyond({ pod, use }: Candidate, resource: Resource): number {
  if (!use) return Number.POSITIVE_INFINITY
  return (resource === 'memory' ? memoryOf(use) : diskOf(use)) - requestOf(pod, resource)
}

function priorityOf({ spec: { priority } }: Pod): number {
  return typeof priority === 'number' ? priority : 0
}

/** One of which nothing is known, one beyond what it asked for, another one. */
function need(beyond: number): number {
  if (beyond === Number.POSITIVE_INFINITY) return 2
  return beyond > 0 ? 1 : 0
}

/** Infinities are alike. */
function compare(a: number, b: number): number {
  return a === b ? 0 : a - b
}
