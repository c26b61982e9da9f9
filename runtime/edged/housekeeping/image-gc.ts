import { statfs } from 'node:fs/promises'
import { type Counter, type Gauge, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Duration, minutes } from '../../../platform/time/index.ts'
import type { ContainerRuntime } from '../cri/runtime.ts'
import { ImageUse, type KnownImage, usedImages } from './image-use.ts'

export interface ImageGcPorts {
  readonly runtime: ContainerRuntime
  /** Images that the pods of this node name: without a network nobody brings them back. Undefined while nobody knows, when nothing is removed. */
  readonly wanted: () => Iterable<string> | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Metrics
  /** The file system is above its mark, and nothing on it may go. Told when that begins, not at each pass. */
  readonly onFull?: (usage: DiskUsage) => void
  /** For tests. */
  readonly measure?: (mountpoint: string) => Promise<DiskUsage>
}

export interface DiskUsage {
  readonly mountpoint: string
  readonly totalBytes: number
  /** For whoever is not root. */
  readonly freeBytes: number
}

export interface ImageGcOptions {
  /** Above so much of the file system, images are removed ... */
  readonly highPercent: number
  /** ... until it is down to so much. */
  readonly lowPercent: number
  /** An image that is seen for so long at most stays. */
  readonly minimumAge: Duration
  /** Names of further images that are never removed. */
  readonly keep: readonly string[]
}

const IMAGE_GC_DEFAULTS: ImageGcOptions = {
  highPercent: 85,
  lowPercent: 80,
  minimumAge: minutes(2),
  keep: [],
}

export interface ImageGc {
  /**
   * One pass: looks which images are in use, and removes unused ones where the file system of images is too full. Rejects with an
   * UnavailableError while the runtime does not answer.
   */
  run(signal: AbortSignal): Promise<RemovedImages>
  /** Removes all unused images that are old enough: the node is short of disk. */
  removeUnused(signal: AbortSignal): Promise<RemovedImages>
}

export interface RemovedImages {
  readonly images: number
  /** As the runtime counts them; layers that images share are in each. */
  readonly bytes: number
}

export function createImageGc(ports: ImageGcPorts, options: Partial<ImageGcOptions> = {}): ImageGc {
  const chosen = { ...IMAGE_GC_DEFAULTS, ...options }
  if (!(chosen.lowPercent >= 0 && chosen.lowPercent <= chosen.highPercent && chosen.highPercent <= 100))
    throw new RangeError('lowPercent and highPercent are 0 to 100, and lowPercent is not the higher one')
  return new Collector(ports, chosen)
}

const NOTHING: RemovedImages = { images: 0, bytes: 0 }

class Collector implements ImageGc {
  readonly #ports: ImageGcPorts
  readonly #options: ImageGcOptions
  readonly #use = new ImageUse()
  readonly #counters
  #isFull = false

  constructor(ports: ImageGcPorts, options: ImageGcOptions) {
    this.#ports = ports
    this.#options = options
    this.#counters = countersOf(ports.metrics ?? silentMetrics)
  }

  async run(signal: AbortSignal): Promise<RemovedImages> {
    const spare = await this.#spare(signal)
    if (!spare) return NOTHING
    const usage = await this.#fullest(signal)
    if (!usage || percentOf(usage) < this.#options.highPercent) {
      this.#isFull = false
      return NOTHING
    }
    const { removed, left } = await this.#relieve(usage, [...spare], signal)
    const isFull = percentOf(left) >= this.#options.highPercent && removed.images === 0
    if (isFull && !this.#isFull) {
      this.#counters.full.add()
      this.#ports.log.warn('The disk is full, and no image on it may be removed', { ...left, used: percentOf(left) })
      this.#ports.onFull?.(left)
    }
    this.#isFull = isFull
    return removed
  }

  async removeUnused(signal: AbortSignal): Promise<RemovedImages> {
    const spare = (await this.#spare(signal)) ?? []
    return this.#remove([...spare], Number.POSITIVE_INFINITY, signal)
  }

  /** Unused images that are old enough; the one to go first is first. */
  async #spare(signal: AbortSignal): Promise<readonly KnownImage[] | undefined> {
    const { runtime, clock, wanted } = this.#ports
    const images = await runtime.listImages(signal)
    const containers = await runtime.listContainers({}, signal)
    const named = wanted()
    if (!named) return undefined
    const now = clock.now()
    const unused = this.#use.unused(images, usedImages(containers, named, this.#options.keep), now)
    return unused.filter(({ since }) => now - since >= this.#options.minimumAge.milliseconds)
  }

  /**
   * Sizes are estimates, because images share layers: after each round the disk has the word. A round that freed nothing ends the
   * pass, because a runtime may take its time.
   */
  async #relieve(usage: DiskUsage, spare: KnownImage[], signal: AbortSignal) {
    let [left, images, bytes] = [usage, 0, 0]
    while (spare.length > 0 && percentOf(left) > this.#options.lowPercent) {
      const wantedFree = (left.totalBytes * (100 - this.#options.lowPercent)) / 100
      const round = await this.#remove(spare, wantedFree - left.freeBytes, signal)
      images += round.images
      bytes += round.bytes
      const before = left.freeBytes
      left = await this.#measure(left.mountpoint)
      if (left.freeBytes <= before) break
    }
    return { removed: { images, bytes }, left }
  }

  /** Takes from the list what it has tried. */
  async #remove(spare: KnownImage[], bytesWanted: number, signal: AbortSignal): Promise<RemovedImages> {
    let [images, bytes] = [0, 0]
    for (let next = spare.shift(); next; next = bytes < bytesWanted ? spare.shift() : undefined) {
      const { image } = next
      const fields = { image: image.tags[0] ?? image.id, bytes: image.bytes }
      signal.throwIfAborted()
      try {
        await this.#ports.runtime.removeImage(image.id, signal)
        images++
        bytes += image.bytes
        this.#counters.images.add()
        this.#counters.bytes.add(image.bytes)
        this.#ports.log.info('An unused image was removed', fields)
      } catch (error) {
        if (signal.aborted || error instanceof UnavailableError) throw error
        this.#counters.failed.add()
        this.#ports.log.warn('An unused image cannot be removed', { ...fields, error })
      }
    }
    return { images, bytes }
  }

  async #fullest(signal: AbortSignal): Promise<DiskUsage | undefined> {
    const found = await this.#ports.runtime.imageFilesystems(signal)
    const usages: DiskUsage[] = []
    for (const { mountpoint } of found) {
      try {
        usages.push(await this.#measure(mountpoint))
      } catch (error) {
        this.#ports.log.warn('Where the runtime keeps its images cannot be looked at', { mountpoint, error })
      }
    }
    const [fullest] = usages.toSorted((a, b) => percentOf(b) - percentOf(a))
    if (fullest) this.#counters.used.set(percentOf(fullest) / 100)
    return fullest
  }

  #measure(mountpoint: string): Promise<DiskUsage> {
    return (this.#ports.measure ?? diskUsage)(mountpoint)
  }
}

export async function diskUsage(mountpoint: string): Promise<DiskUsage> {
  const { bsize, blocks, bavail } = await statfs(mountpoint)
  return { mountpoint, totalBytes: blocks * bsize, freeBytes: bavail * bsize }
}

function percentOf({ totalBytes, freeBytes }: DiskUsage): number {
  return totalBytes === 0 ? 0 : 100 - (freeBytes * 100) / totalBytes
}

function countersOf(metrics: Metrics): Readonly<Record<'images' | 'bytes' | 'failed' | 'full', Counter>> & {
  readonly used: Gauge
} {
  return {
    images: metrics.counter({ name: 'skerry_edged_images_removed_total', help: 'Unused images that were removed.' }),
    bytes: metrics.counter({
      name: 'skerry_edged_image_bytes_removed_total',
      help: 'Their sizes; layers that images share are counted in each.',
    }),
    failed: metrics.counter({
      name: 'skerry_edged_image_remove_failures_total',
      help: 'Unused images that could not be removed; tried again.',
    }),
    full: metrics.counter({
      name: 'skerry_edged_image_disk_full_total',
      help: 'Times that the disk of images became too full while none of them could be removed.',
    }),
    used: metrics.gauge({
      name: 'skerry_edged_image_disk_used_ratio',
      help: 'How full the file system of images is, 0 to 1.',
    }),
  }
}
