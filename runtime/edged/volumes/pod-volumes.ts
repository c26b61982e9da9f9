import { ensureDirectory } from '../../../platform/files/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, seconds, withDeadline } from '../../../platform/time/index.ts'
import type { Mount } from '../cri/runtime.ts'
import type { Places } from '../places.ts'
import type { PodFacts } from '../pod/facts.ts'
import { ObstacleError } from '../pod/obstacle.ts'
import { type Pod, podKey } from '../pod/pod.ts'
import type { Container } from '../pod/schema/container.ts'
import type { Volume } from '../pod/schema/volume.ts'
import { containerMounts } from './container-mounts.ts'
import { contentOf, isContent } from './content/content.ts'
import type { ContentSources } from './content/sources.ts'
import { type ContentPlace, ContentVolumes } from './content-volumes.ts'
import { type DiskUsage, diskUsage } from './disk-usage.ts'
import type { VolumeFiles } from './folders/atomic-folder.ts'
import { isThere } from './folders/is-there.ts'
import { bytesOf, ensureDiskFolder, ensureMemoryFolder, memoryBytes } from './kinds/empty-dir.ts'
import { ensureHostPath } from './kinds/host-path.ts'
import type { Mounts } from './mounts/mounts.ts'
import { failedMount, whyNot } from './obstacles.ts'
import { PodLayout } from './pod-layout.ts'
import { foldersIn, removePod } from './remove-pod.ts'
import { contradictionOf, emptyDirOf, usedVolumes } from './used-volumes.ts'
import type { PodVolumes, VolumeUsage } from './volumes.ts'

export interface PodVolumesPorts extends ContentSources {
  readonly places: Places
  readonly mounts: Mounts
  readonly clock: Clock
  readonly log: Logger
  /** By default what the program `du` says. */
  readonly diskUsage?: DiskUsage
}

export function createPodVolumes(ports: PodVolumesPorts): PodVolumes {
  return new NodeVolumes(ports)
}

/** What is of this node may be on a disk that does not answer. */
const OF_THE_HOST = seconds(30)
const NO_FILES: VolumeFiles = new Map()

class NodeVolumes implements PodVolumes {
  readonly #ports: PodVolumesPorts
  readonly #contents: ContentVolumes
  readonly #diskUsage: DiskUsage
  /** Why a volume could not be brought up to date, by uid and volume, so that each reason is said once. */
  readonly #stale = new Map<string, Map<string, string>>()

  constructor(ports: PodVolumesPorts) {
    this.#ports = ports
    this.#contents = new ContentVolumes(ports)
    this.#diskUsage = ports.diskUsage ?? diskUsage(ports.clock)
  }

  async prepare(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    const contradiction = contradictionOf(pod)
    if (contradiction) throw failedMount(...contradiction)
    const place = { pod, facts, layout: this.#layout(pod.uid), signal }
    await this.#makeRoom(place)
    const failures: ObstacleError[] = []
    for (const [volume, content] of await this.#contentsOf(usedVolumes(pod), place)) {
      signal.throwIfAborted()
      const failure = await this.#make(volume, content, place).catch((error: unknown) => obstacle(volume, error))
      if (failure) failures.push(failure)
    }
    signal.throwIfAborted()
    const [first, ...others] = failures
    if (!first || others.length === 0) return first && Promise.reject(first)
    const message = `${first.waiting.message} (and ${others.length} more of its volumes)`
    throw new ObstacleError({ ...first.waiting, message }, first)
  }

  async mountsOf(pod: Pod, container: Container, environment: ReadonlyMap<string, string>): Promise<readonly Mount[]> {
    return containerMounts({ pod, container, environment, layout: this.#layout(pod.uid) }, this.#ports.mounts)
  }

  async refresh(pod: Pod, facts: PodFacts, signal: AbortSignal): Promise<void> {
    const place = { pod, facts, layout: this.#layout(pod.uid), signal }
    for (const [volume, content] of await this.#contentsOf(usedVolumes(pod).filter(isContent), place)) {
      signal.throwIfAborted()
      const stale = await this.#fill(volume, content, place).catch((error: unknown) => obstacle(volume, error))
      if (stale) this.#tellStale(volume, stale, place)
    }
    signal.throwIfAborted()
  }

  async usageOf(pod: Pod, signal: AbortSignal): Promise<readonly VolumeUsage[]> {
    const layout = this.#layout(pod.uid)
    const usages: VolumeUsage[] = []
    for (const volume of usedVolumes(pod)) {
      const emptyDir = emptyDirOf(volume)
      if (!emptyDir || emptyDir.medium === 'Memory') continue
      const limit = bytesOf(emptyDir.sizeLimit)
      const sizeLimit = limit > 0 ? { sizeLimit: { text: String(emptyDir.sizeLimit), bytes: limit } } : {}
      const folder = layout.volume(volume)
      const bytes = (await isThere(folder)) ? await this.#diskUsage(folder, signal) : 0
      usages.push({ volume: volume.name, bytes, ...sizeLimit })
    }
    return usages
  }

  async remove(uid: string): Promise<void> {
    await removePod(this.#layout(uid).pod, this.#ports.mounts)
    this.#contents.forget(uid)
    this.#stale.delete(uid)
  }

  present(): Promise<readonly string[]> {
    return foldersIn(this.#ports.places.pods)
  }

  #layout(uid: string): PodLayout {
    return new PodLayout(this.#ports.places, uid)
  }

  /** The files of each volume, or why they cannot be had now; asked for together. */
  async #contentsOf(
    volumes: readonly Volume[],
    place: ContentPlace,
  ): Promise<readonly (readonly [Volume, VolumeFiles | ObstacleError])[]> {
    return Promise.all(
      volumes.map(async (volume) => {
        if (!isContent(volume)) return [volume, NO_FILES]
        return [volume, await contentOf(volume, place, this.#ports).catch((error: unknown) => obstacle(volume, error))]
      }),
    )
  }

  async #makeRoom({ pod, layout }: ContentPlace): Promise<void> {
    try {
      await ensureDirectory(layout.volumes, 0o700)
    } catch (error) {
      throw new ObstacleError({ reason: 'FailedMount', message: `the folder of its volumes: ${whyNot(error)}` }, error)
    }
    if (pod.spec.securityContext.fsGroup === undefined || process.geteuid?.() === 0) return
    const message = 'securityContext.fsGroup needs Edged to run as root, as only root gives files to a group'
    throw new ObstacleError({ reason: 'FailedMount', message })
  }

  async #make(volume: Volume, content: VolumeFiles | ObstacleError, place: ContentPlace): Promise<undefined> {
    const { hostPath } = volume
    if (hostPath) await withDeadline(this.#ports.clock, OF_THE_HOST, place.signal, () => ensureHostPath(hostPath))
    else if (isContent(volume)) await this.#fillOrKeep(volume, content, place)
    else await this.#makeEmptyDir(volume, place)
  }

  async #fillOrKeep(volume: Volume, content: VolumeFiles | ObstacleError, place: ContentPlace): Promise<void> {
    const failure = await this.#fill(volume, content, place).catch((error: unknown) => obstacle(volume, error))
    if (!failure) return
    if (!(await this.#contents.isThere(volume, place.layout))) throw failure
    this.#tellStale(volume, failure, place)
  }

  async #fill(
    volume: Volume,
    content: VolumeFiles | ObstacleError,
    place: ContentPlace,
  ): Promise<ObstacleError | undefined> {
    if (content instanceof ObstacleError) return content
    await this.#contents.write(volume, content, place)
    this.#stale.get(place.pod.uid)?.delete(volume.name)
    return undefined
  }

  #tellStale({ name }: Volume, { waiting }: ObstacleError, { pod }: ContentPlace): void {
    const ofPod = this.#stale.get(pod.uid) ?? new Map<string, string>()
    if (ofPod.get(name) === waiting.message) return
    this.#stale.set(pod.uid, ofPod.set(name, waiting.message))
    const fields = { pod: podKey(pod), reason: waiting.message }
    this.#ports.log.warn('A volume keeps the files that it has, as newer ones cannot be had now', fields)
  }

  async #makeEmptyDir(volume: Volume, { pod, facts, layout, signal }: ContentPlace): Promise<void> {
    const gid = pod.spec.securityContext.fsGroup
    const folder = {
      folder: layout.volume(volume),
      unfinished: layout.unfinished(volume),
      ...(gid === undefined ? {} : { gid }),
    }
    const emptyDir = emptyDirOf(volume)
    if (emptyDir?.medium !== 'Memory') return ensureDiskFolder(folder)
    const { mounts } = this.#ports
    if (!(await mounts.isAllowed())) throw new Error('emptyDir in memory is mounted, which needs Edged to run as root')
    await ensureMemoryFolder(folder, memoryBytes(emptyDir, pod, facts), mounts, signal)
  }
}

function obstacle({ name }: Volume, error: unknown): ObstacleError {
  return error instanceof ObstacleError ? error : failedMount(name, whyNot(error), error)
}
