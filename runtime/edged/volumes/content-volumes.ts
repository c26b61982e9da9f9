import { createHash } from 'node:crypto'
import { chmod, mkdir } from 'node:fs/promises'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { PodFacts } from '../pod/facts.ts'
import type { Pod } from '../pod/pod.ts'
import type { Volume } from '../pod/schema/volume.ts'
import { isSecret } from './content/content.ts'
import { currentOf, type VolumeFiles, writeAtomicFolder } from './folders/atomic-folder.ts'
import { emptyFolder } from './folders/remove-tree.ts'
import type { Mounts } from './mounts/mounts.ts'
import type { PodLayout } from './pod-layout.ts'

export interface ContentVolumesPorts {
  readonly mounts: Mounts
  readonly clock: Clock
  readonly log: Logger
}

export interface ContentPlace {
  readonly pod: Pod
  readonly facts: PodFacts
  readonly layout: PodLayout
  readonly signal: AbortSignal
}

interface Written {
  readonly digest: string
  readonly current: string
}

/** Volumes whose files this node writes. It remembers what it wrote, so that nothing is read again that did not change. */
export class ContentVolumes {
  readonly #ports: ContentVolumesPorts
  /** By uid of the pod, by name of the volume. */
  readonly #written = new Map<string, Map<string, Written>>()
  #hasWarned = false

  constructor(ports: ContentVolumesPorts) {
    this.#ports = ports
  }

  async write(volume: Volume, files: VolumeFiles, { pod, facts, layout, signal }: ContentPlace): Promise<void> {
    const folder = layout.volume(volume)
    if (isSecret(volume)) await this.#ensureMemory(layout.memory, facts, signal)
    const known = this.#written.get(pod.uid)?.get(volume.name)
    const digest = digestOf(files)
    if (known?.digest === digest && (await currentOf(folder)) === known.current) return
    const gid = pod.spec.securityContext.fsGroup
    const options = { now: this.#ports.clock.now(), ...(gid === undefined ? {} : { gid }) }
    const current = await writeAtomicFolder(folder, files, options)
    const ofPod = this.#written.get(pod.uid) ?? new Map<string, Written>()
    this.#written.set(pod.uid, ofPod.set(volume.name, { digest, current }))
  }

  /** All its files are there, of whatever age. */
  async isThere(volume: Volume, layout: PodLayout): Promise<boolean> {
    return (await currentOf(layout.volume(volume))) !== undefined
  }

  forget(uid: string): void {
    this.#written.delete(uid)
  }

  async #ensureMemory(folder: string, { allocatable }: PodFacts, signal: AbortSignal): Promise<void> {
    const { mounts } = this.#ports
    await mkdir(folder, { recursive: true, mode: 0o700 })
    if (!(await mounts.isAllowed())) {
      await chmod(folder, 0o700)
      this.#warnOnce()
      return
    }
    if (await mounts.isMounted(folder)) return
    // What was written where nothing could be mounted would stay beneath, on disk.
    await emptyFolder(folder)
    await mounts.tmpfs(folder, { bytes: allocatable.memoryBytes, mode: 0o711 }, signal)
  }

  #warnOnce(): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const text =
      'Secrets of pods are kept on disk, in folders that only this user may read, as memory can only be mounted by root'
    this.#ports.log.warn(text)
  }
}

function digestOf(files: VolumeFiles): string {
  const hash = createHash('sha256')
  for (const [path, { data, mode, uid }] of files) {
    hash.update(JSON.stringify([path, mode, uid ?? null, data.length])).update(data)
  }
  return hash.digest('base64')
}
