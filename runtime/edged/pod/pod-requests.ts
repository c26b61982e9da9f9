import { parseQuantity, wholeOf } from '../../../schemas/index.ts'
import { isSidecar, type Pod } from './pod.ts'
import type { Container } from './schema/container.ts'

export interface PodRequests {
  readonly milliCpu: number
  readonly memoryBytes: number
  readonly diskBytes: number
}

const NOTHING: PodRequests = { milliCpu: 0, memoryBytes: 0, diskBytes: 0 }

/**
 * What a pod asks of its node at most at any time (Kubernetes, sidecar containers, resource requests): either all that run for good, or
 * an init container with those sidecars that were begun before it.
 */
export function podRequests({ spec }: Pod): PodRequests {
  let sidecars = NOTHING
  let most = NOTHING
  for (const container of spec.initContainers) {
    const own = requestsOf(container)
    if (isSidecar(container)) sidecars = combined(sidecars, own, sum)
    most = combined(most, isSidecar(container) ? sidecars : combined(sidecars, own, sum), Math.max)
  }
  const lasting = spec.containers.map(requestsOf).reduce((total, own) => combined(total, own, sum), sidecars)
  return combined(most, lasting, Math.max)
}

export function combined(one: PodRequests, other: PodRequests, combine: (a: number, b: number) => number): PodRequests {
  return {
    milliCpu: combine(one.milliCpu, other.milliCpu),
    memoryBytes: combine(one.memoryBytes, other.memoryBytes),
    diskBytes: combine(one.diskBytes, other.diskBytes),
  }
}

export function sum(one: number, other: number): number {
  return one + other
}

/** What has a limit and asks for nothing asks for its limit. */
function requestsOf({ resources: { requests, limits } }: Container): PodRequests {
  const amount = (name: string) => parseQuantity(requests[name] ?? limits[name]) ?? 0n
  return {
    milliCpu: Number((amount('cpu') + 999_999n) / 1_000_000n),
    memoryBytes: Number(wholeOf(amount('memory'))),
    diskBytes: Number(wholeOf(amount('ephemeral-storage'))),
  }
}
