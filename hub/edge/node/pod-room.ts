import type { JsonObject, NodeRuntime } from '../../../schemas/index.ts'
import type { MachineFacts } from './machine.ts'
import type { Thresholds } from './pressure.ts'

/** What pods are run by here, and below what is left they have to make room. */
export interface PodRoom {
  readonly runtime: NodeRuntime
  readonly thresholds: Thresholds
}

/**
 * What the machine has, and what of it pods may have: all but what is reserved, and what has to be left so that nothing is evicted
 * (Kubernetes, "Reserve Compute Resources", node allocatable). Without a runtime no pod has a place.
 */
export function podRoom({ cpus, memoryBytes, diskBytes }: MachineFacts, pods: PodRoom | undefined): JsonObject {
  const disk = diskBytes === undefined ? {} : { 'ephemeral-storage': kibibytes(diskBytes) }
  const count = { pods: String(pods?.runtime.maxPods ?? 0) }
  const capacity = { cpu: String(cpus), memory: kibibytes(memoryBytes), ...count, ...disk }
  if (!pods) return { capacity, allocatable: capacity }
  const { runtime, thresholds } = pods
  const { milliCpu, memoryBytes: memory, diskBytes: kept } = runtime.reserved
  const leftOnDisk = (bytes: number) => bytes - kept - (bytes * thresholds.diskPercent) / 100
  const allocatable = {
    cpu: cores(cpus * 1000 - milliCpu),
    memory: kibibytes(memoryBytes - memory - thresholds.memoryBytes),
    ...count,
    ...(diskBytes === undefined ? {} : { 'ephemeral-storage': String(Math.max(0, Math.floor(leftOnDisk(diskBytes)))) }),
  }
  return { capacity, allocatable, ...images(runtime), ...handlers(runtime) }
}

function images({ images: present }: NodeRuntime): JsonObject {
  return { images: present.map(({ names, bytes }) => ({ names, sizeBytes: bytes })) }
}

function handlers({ handlers: names }: NodeRuntime): JsonObject {
  return names.length === 0 ? {} : { runtimeHandlers: names.map((name) => ({ name })) }
}

function kibibytes(bytes: number): string {
  return `${Math.max(0, Math.floor(bytes / 1024))}Ki`
}

function cores(milli: number): string {
  const left = Math.max(0, milli)
  return left % 1000 === 0 ? String(left / 1000) : `${left}m`
}
