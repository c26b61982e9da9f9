import { parseQuantity, quantityText, wholeOf } from '../../../schemas/index.ts'
import type { Pod } from '../pod/pod.ts'
import type { Candidate } from './eviction-rank.ts'
import { bytesText, type Shortage } from './eviction-signals.ts'
import { type ContainerUse, diskOf, type PodUse } from './pod-usage.ts'

const DISK = 'ephemeral-storage'

/** Why a pod went, in the words of a kubelet: people search for them. */
export function shortageMessage({ resource, least, left }: Shortage, { pod, use }: Candidate): string {
  const node = `The node was low on resource: ${resource}. Threshold quantity: ${least}, available: ${left}. `
  if (resource === 'inodes') return node
  const greedy = (use?.containers ?? []).flatMap((each) => {
    const used = resource === 'memory' ? each.memoryBytes : each.layerBytes + each.logBytes
    const request = amountOf(pod, each.name, 'requests', resource)
    if (used <= (request?.bytes ?? 0)) return []
    const asked = request?.text ?? '0'
    return [
      `Container ${each.name} was using ${bytesText(used)}, request is ${asked}, has larger consumption of ${resource}. `,
    ]
  })
  return `${node}${greedy.join('')}`
}

/** Why a pod has to go for what it has on disk, however much is left; undefined where it stays within its limits. */
export function beyondLimits(pod: Pod, use: PodUse): string | undefined {
  const volume = use.volumes.find(({ bytes, sizeLimit }) => sizeLimit && sizeLimit.bytes > 0 && bytes > sizeLimit.bytes)
  if (volume) return `Usage of EmptyDir volume "${volume.volume}" exceeds the limit "${volume.sizeLimit?.text}". `
  const limits = pod.spec.containers.flatMap(({ name }) => amountOf(pod, name, 'limits', DISK) ?? [])
  const total = limits.reduce((sum, { bytes }) => sum + bytes, 0)
  if (total > 0 && diskOf(use) > total) {
    return `Pod ephemeral local storage usage exceeds the total limit of containers ${bytesText(total)}. `
  }
  const container = use.containers.find((each) => isBeyond(pod, each))
  if (!container) return undefined
  const limit = amountOf(pod, container.name, 'limits', DISK)?.text
  return `Container ${container.name} exceeded its local ephemeral storage limit "${limit}". `
}

/** Whether there is a limit to what it may have on disk. */
export function hasDiskLimits({ spec: { containers, volumes } }: Pod): boolean {
  const isLimited = containers.some(({ resources }) => resources.limits[DISK] !== undefined)
  return isLimited || volumes.some(({ emptyDir }) => emptyDir?.sizeLimit !== undefined && emptyDir.medium === '')
}

function isBeyond(pod: Pod, { name, layerBytes, logBytes }: ContainerUse): boolean {
  const limit = amountOf(pod, name, 'limits', DISK)
  return limit !== undefined && limit.bytes > 0 && layerBytes + logBytes > limit.bytes
}

function amountOf({ spec }: Pod, container: string, kind: 'limits' | 'requests', resource: string) {
  const found = [...spec.containers, ...spec.initContainers].find(({ name }) => name === container)
  const amount = found?.resources[kind][resource]
  const bytes = parseQuantity(amount)
  if (amount === undefined || bytes === undefined) return undefined
  return { bytes: Number(wholeOf(bytes)), text: quantityText(amount) }
}
