import { parseQuantity, wholeOf } from '../../../schemas/index.ts'
import type { LinuxResources } from '../cri/runtime.ts'
import { isSidecar, type Pod } from '../pod/pod.ts'
import { qosClass } from '../pod/qos.ts'
import type { Container } from '../pod/schema/container.ts'
import type { Amount } from '../pod/schema/parts.ts'

export interface ResourceInput {
  readonly pod: Pod
  readonly container: Container
  /** What this node has. */
  readonly memoryBytes: number
  /** In the words of the kernel's controller (`2MB`); those that the container does not ask for are forbidden to it. */
  readonly hugepageSizes?: readonly string[]
}

/** 100 ms, µs. */
const PERIOD = 100_000
/** The kernel takes no less than 1 ms. */
const LEAST_QUOTA = 1000
/** kernel/sched/sched.h. */
const LEAST_SHARES = 2
const MOST_SHARES = 262_144

const GUARANTEED = -997
const BEST_EFFORT = 1000

/** What a container may take, for its cgroup, as a kubelet counts it. */
export function linuxResources({ pod, container, memoryBytes, hugepageSizes = [] }: ResourceInput): LinuxResources {
  const { limits, requests } = container.resources
  const memory = whole(limits['memory'])
  const hugepages = hugepageLimits(limits, hugepageSizes)
  return {
    cpuShares: cpuShares(milli(requests['cpu'] ?? limits['cpu'])),
    cpuPeriod: PERIOD,
    ...{ cpuQuota: cpuQuota(milli(limits['cpu'])), oomScoreAdj: oomScore(pod, container, memoryBytes) },
    ...(memory > 0 ? { memoryLimitInBytes: memory } : {}),
    ...(hugepages.length > 0 ? { hugepageLimits: hugepages } : {}),
  }
}

export function cpuShares(milliCpu: number): number {
  return Math.min(MOST_SHARES, Math.max(LEAST_SHARES, Math.trunc((milliCpu * 1024) / 1000)))
}

/** µs in each period; 0: no limit. */
export function cpuQuota(milliCpu: number): number {
  return milliCpu === 0 ? 0 : Math.max(LEAST_QUOTA, Math.trunc((milliCpu * PERIOD) / 1000))
}

/**
 * How readily the kernel ends it when memory runs out. Between the guaranteed and those who ask for nothing, a container that asks
 * for a tenth of the memory has 900: one that takes more than it asked for comes to 1000, and goes first.
 */
function oomScore(pod: Pod, container: Container, memoryBytes: number): number {
  if (pod.spec.priorityClassName === 'system-node-critical') return GUARANTEED
  const qos = qosClass(pod.spec)
  if (qos === 'Guaranteed') return GUARANTEED
  if (qos === 'BestEffort') return BEST_EFFORT
  const scoreOf = ({ resources }: Container) =>
    BEST_EFFORT - Math.trunc((BEST_EFFORT * whole(resources.requests['memory'])) / Math.max(1, memoryBytes))
  const own = scoreOf(container)
  // A sidecar goes no sooner than any of the containers that it serves.
  const least = isSidecar(container) ? Math.min(own, Math.max(...pod.spec.containers.map(scoreOf))) : own
  return Math.min(BEST_EFFORT - 1, Math.max(BEST_EFFORT + GUARANTEED, least))
}

function hugepageLimits(limits: Readonly<Record<string, Amount>>, sizes: readonly string[]) {
  const asked = new Map(
    Object.entries(limits).flatMap(([name, amount]) => {
      const size = parseQuantity(/^hugepages-(.+)$/.exec(name)?.[1])
      return size === undefined ? [] : [[pageSize(wholeOf(size)), whole(amount)] as const]
    }),
  )
  const all = new Set([...sizes, ...asked.keys()])
  return [...all].map((size) => ({ pageSize: size, limit: asked.get(size) ?? 0 }))
}

/** As the kernel names its controller's files. */
export function pageSize(bytes: bigint): string {
  const units = ['B', 'KB', 'MB', 'GB']
  let [rest, unit] = [bytes, 0]
  while (rest >= 1024n && rest % 1024n === 0n && unit < units.length - 1) {
    rest /= 1024n
    unit++
  }
  return `${rest}${units[unit] ?? ''}`
}

function milli(amount: Amount | undefined): number {
  const exact = parseQuantity(amount) ?? 0n
  return Number((exact + 999_999n) / 1_000_000n)
}

function whole(amount: Amount | undefined): number {
  return Number(wholeOf(parseQuantity(amount) ?? 0n))
}
