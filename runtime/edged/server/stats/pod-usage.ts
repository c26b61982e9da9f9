import type { ContainerStats } from '../../cri/runtime.ts'
import { textIn } from '../../pod/json.ts'
import { LABELS } from '../../state/labels.ts'
import type { ServedPod, ServedPods } from '../served-pods.ts'
import type { Measured, Usage } from './usage.ts'

/** A pod with what its running containers use. */
export interface PodUsage {
  readonly pod: ServedPod
  /** Unix ms. */
  readonly startedAt: number | undefined
  readonly containers: readonly ContainerUsage[]
}

export interface ContainerUsage {
  readonly name: string
  readonly image: string
  /** Unix ms. */
  readonly startedAt: number
  readonly stats: Measured<ContainerStats>
}

/** What has ended uses nothing, and is not told of. */
export function podUsages(pods: ServedPods, { containers }: Usage): readonly PodUsage[] {
  return pods.list().flatMap((pod) => {
    const running = (pods.view(pod.uid)?.containers ?? []).filter(({ state }) => state === 'running')
    const used = running.flatMap(({ id, metadata, image, startedAt }) => {
      const stats = containers.find((each) => each.id === id && each.labels[LABELS.podUid] === pod.uid)
      return stats ? [{ name: metadata.name, image, startedAt, stats }] : []
    })
    if (used.length === 0) return []
    const begun = Date.parse(textIn(pod.status, 'startTime') ?? '')
    return [{ pod, startedAt: Number.isNaN(begun) ? undefined : begun, containers: used }]
  })
}

/** Of all its containers together; undefined where not all of them tell. */
export function sumOf<T>(items: readonly T[], of: (item: T) => number | undefined): number | undefined {
  let sum = 0
  for (const item of items) {
    const value = of(item)
    if (value === undefined) return undefined
    sum += value
  }
  return sum
}
