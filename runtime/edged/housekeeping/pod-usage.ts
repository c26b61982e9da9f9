import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { hasCode } from '../../../platform/lifecycle/index.ts'
import type { ContainerStats } from '../cri/runtime.ts'
import type { Pod } from '../pod/pod.ts'
import { LABELS } from '../state/labels.ts'

/** What one volume of a pod holds on disk. */
export interface VolumeUse {
  readonly volume: string
  readonly bytes: number
  /** As the pod says it, where it does. */
  readonly sizeLimit?: { readonly text: string; readonly bytes: number }
}

export interface ContainerUse {
  readonly name: string
  readonly memoryBytes: number
  /** What it has written into its own files. */
  readonly layerBytes: number
  readonly logBytes: number
}

export interface PodUse {
  readonly containers: readonly ContainerUse[]
  readonly volumes: readonly VolumeUse[]
}

/** What containers of a pod use, as their runtime tells; undefined where it tells of none. */
export function containerUses(
  { uid }: Pod,
  stats: readonly ContainerStats[],
  logs: ReadonlyMap<string, number> = new Map(),
): readonly ContainerUse[] | undefined {
  const own = stats.filter(({ labels }) => labels[LABELS.podUid] === uid)
  if (own.length === 0) return undefined
  return own.map(({ labels, memoryBytes, diskBytes }) => {
    const name = labels[LABELS.containerName] ?? ''
    return { name, memoryBytes, layerBytes: diskBytes, logBytes: logs.get(name) ?? 0 }
  })
}

export function memoryOf({ containers }: PodUse): number {
  return containers.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0)
}

export function diskOf({ containers, volumes }: PodUse): number {
  const ofContainers = containers.reduce((sum, { layerBytes, logBytes }) => sum + layerBytes + logBytes, 0)
  return volumes.reduce((sum, { bytes }) => sum + bytes, ofContainers)
}

/** Sizes of the logs of a pod's containers; `directory` has a folder for each of them. */
export async function logSizes(directory: string): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  for (const file of await readdir(directory, { recursive: true, withFileTypes: true }).catch(nothingThere)) {
    if (!file.isFile()) continue
    const container = file.parentPath.slice(directory.length + 1).split('/')[0] ?? ''
    // Rotation may take it away meanwhile.
    const found = await stat(join(file.parentPath, file.name)).catch(() => undefined)
    sizes.set(container, (sizes.get(container) ?? 0) + (found?.size ?? 0))
  }
  return sizes
}

function nothingThere(error: unknown) {
  if (hasCode(error, 'ENOENT')) return []
  throw error
}
