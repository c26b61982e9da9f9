import type { JsonObject } from '../../../../schemas/index.ts'
import type { ContainerStats } from '../../cri/runtime.ts'
import type { DiskUse } from './machine-use.ts'
import { type PodUsage, sumOf } from './pod-usage.ts'
import type { Measured, Usage } from './usage.ts'

/** A Summary of a kubelet's API of statistics (`stats/v1alpha1`). What is not known is left out. */
export function summaryOf(
  nodeName: string,
  usage: Usage,
  pods: readonly PodUsage[],
  logBytes: (pod: PodUsage, container: string) => number,
): JsonObject {
  const { at, machine, disk, images } = usage
  const time = instant(at)
  return {
    node: {
      nodeName,
      startTime: instant(at - machine.uptime * 1000),
      cpu: cpu(machine.cpuAt, machine.cpuNanoseconds, machine.nanoCores),
      memory: {
        time,
        availableBytes: machine.memory.totalBytes - machine.memory.workingSetBytes,
        usageBytes: machine.memory.usedBytes,
        workingSetBytes: machine.memory.workingSetBytes,
        rssBytes: machine.memory.rssBytes,
      },
      fs: filesystem(time, disk, disk.usedBytes, disk.inodes - disk.inodesFree),
      ...(images ? { runtime: { imageFs: filesystem(time, images.disk, images.usedBytes, images.usedInodes) } } : {}),
    },
    pods: pods.map((each) => podStats(each, usage, logBytes)),
  }
}

function podStats(
  usage: PodUsage,
  { at, disk, images }: Usage,
  logBytes: (pod: PodUsage, container: string) => number,
): JsonObject {
  const { pod, startedAt, containers } = usage
  const stats = containers.map((each) => each.stats)
  const time = instant(at)
  const layers = images?.disk ?? disk
  const logs = (name: string) => logBytes(usage, name)
  const written = containers.reduce((sum, { name, stats: of }) => sum + of.diskBytes + logs(name), 0)
  return {
    podRef: { name: pod.name, namespace: pod.namespace, uid: pod.uid },
    ...(startedAt === undefined ? {} : { startTime: instant(startedAt) }),
    containers: containers.map((each) => ({
      ...{ name: each.name, startTime: instant(each.startedAt) },
      ...{ cpu: cpu(each.stats.cpuAt, each.stats.cpuNanoseconds, each.stats.nanoCores), memory: memory([each.stats]) },
      rootfs: filesystem(time, layers, each.stats.diskBytes, each.stats.diskInodes),
      logs: filesystem(time, disk, logs(each.name), undefined),
    })),
    cpu: cpu(
      Math.min(...stats.map(({ cpuAt }) => cpuAt)),
      stats.reduce((sum, { cpuNanoseconds }) => sum + cpuNanoseconds, 0),
      sumOf(stats, ({ nanoCores }) => nanoCores),
    ),
    memory: memory(stats),
    'ephemeral-storage': filesystem(time, disk, written, undefined),
  }
}

function cpu(at: number, nanoseconds: number, nanoCores: number | undefined): JsonObject {
  const rate = nanoCores === undefined ? {} : { usageNanoCores: nanoCores }
  return { time: instant(at), ...rate, usageCoreNanoSeconds: nanoseconds }
}

function memory(stats: readonly Measured<ContainerStats>[]): JsonObject {
  const told: readonly (readonly [string, number | undefined])[] = [
    ['usageBytes', sumOf(stats, ({ usedBytes }) => usedBytes)],
    ['workingSetBytes', sumOf(stats, ({ memoryBytes }) => memoryBytes)],
    ['rssBytes', sumOf(stats, ({ rssBytes }) => rssBytes)],
    ['pageFaults', sumOf(stats, ({ pageFaults }) => pageFaults)],
    ['majorPageFaults', sumOf(stats, ({ majorPageFaults }) => majorPageFaults)],
  ]
  const known = told.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]))
  return { time: instant(Math.min(...stats.map(({ cpuAt }) => cpuAt))), ...Object.fromEntries(known) }
}

function filesystem(time: string, disk: DiskUse, usedBytes: number, inodesUsed: number | undefined): JsonObject {
  const { availableBytes, capacityBytes, inodes, inodesFree } = disk
  const used = inodesUsed === undefined ? {} : { inodesUsed }
  return { time, availableBytes, capacityBytes, usedBytes, inodesFree, inodes, ...used }
}

/** As a kubelet writes times here: RFC 3339 in whole seconds. */
function instant(unixMs: number): string {
  return new Date(unixMs).toISOString().replace(/\.\d+Z$/, 'Z')
}
