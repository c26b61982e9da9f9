import { chmod, chown, mkdir, rename } from 'node:fs/promises'
import { quantityOr, wholeOf } from '../../../../schemas/index.ts'
import type { PodFacts } from '../../pod/facts.ts'
import type { Pod } from '../../pod/pod.ts'
import type { Volume } from '../../pod/schema/volume.ts'
import { isThere } from '../folders/is-there.ts'
import { removeTree } from '../folders/remove-tree.ts'
import type { Mounts } from '../mounts/mounts.ts'

type EmptyDir = NonNullable<Volume['emptyDir']>

export interface EmptyDirPlace {
  readonly folder: string
  /** Beside it, for a folder that is not finished. */
  readonly unfinished: string
  /** Whose group it is; what is made in it belongs to that as well. */
  readonly gid?: number
}

/** Whoever a container runs as. */
const MODE = 0o777
const GROUP_MODE = 0o2777

/** A folder of the pod on disk, made once: what its containers make of it then is theirs. */
export async function ensureDiskFolder({ folder, unfinished, gid }: EmptyDirPlace): Promise<void> {
  if (await isThere(folder)) return
  await removeTree(unfinished)
  await mkdir(unfinished)
  if (gid !== undefined && process.geteuid?.() === 0) await chown(unfinished, -1, gid)
  await chmod(unfinished, gid === undefined ? MODE : GROUP_MODE)
  // It is there when all of it is.
  await rename(unfinished, folder)
}

/** The same in memory, which a restart of the node empties. */
export async function ensureMemoryFolder(
  { folder, gid }: EmptyDirPlace,
  bytes: number,
  mounts: Mounts,
  signal: AbortSignal,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  if (await mounts.isMounted(folder)) return
  const group = gid === undefined ? { mode: MODE } : { mode: GROUP_MODE, gid }
  await mounts.tmpfs(folder, { bytes, ...group }, signal)
}

/** How much a folder in memory may hold: no more than its limit, than its pod may take, and than the node has to give. */
export function memoryBytes({ sizeLimit }: EmptyDir, pod: Pod, { allocatable }: PodFacts): number {
  const limits = pod.spec.containers.map(({ resources }) => bytesOf(resources.limits['memory']))
  const ofPod = limits.includes(0) ? 0 : limits.reduce((sum, limit) => sum + limit, 0)
  const known = [bytesOf(sizeLimit), ofPod, Math.trunc(allocatable.memoryBytes)].filter((bytes) => bytes > 0)
  return known.length === 0 ? 0 : Math.min(...known)
}

/** 0: none is said. */
export function bytesOf(amount: string | number | undefined): number {
  return Number(wholeOf(quantityOr(amount)))
}
