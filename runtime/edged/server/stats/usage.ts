import { type Clock, type Duration, minutes, seconds } from '../../../../platform/time/index.ts'
import type { ContainerRuntime, ContainerStats } from '../../cri/runtime.ts'
import { LABELS } from '../../state/labels.ts'
import { type DiskUse, diskUse, type MachineUse, machineUse } from './machine-use.ts'

/** What is used now, and how fast since the look before. */
export interface Usage {
  /** Unix ms. */
  readonly at: number
  readonly machine: Measured<MachineUse>
  readonly containers: readonly Measured<ContainerStats>[]
  /** Why the runtime told of no containers, for people. */
  readonly problem?: string
  readonly disk: DiskUse
  readonly images: { readonly usedBytes: number; readonly usedInodes: number; readonly disk: DiskUse } | undefined
}

export type Measured<T> = T & {
  /** Unix ms, of its processor time. */
  readonly cpuAt: number
  /** Nanoseconds of processor time in a second; absent until it was seen twice. */
  readonly nanoCores?: number
}

export interface UsagePorts {
  readonly runtime: Pick<ContainerRuntime, 'containerStats' | 'imageFilesystems'>
  /** Whose containers are told of; undefined: there are none. */
  readonly pods: () => { readonly owner: string } | undefined
  /** Of the node's disk. */
  readonly directory: string
  readonly clock: Clock
}

/** Who asks more often gets the same answer: a look is work for the runtime. */
const FRESH = seconds(2)
/** Images change seldom. */
const IMAGES_FRESH = minutes(1)
/** Rates over less than this are noise. */
const LEAST_MS = 500

interface Seen {
  readonly at: number
  readonly nanoseconds: number
  readonly nanoCores?: number
}

/** Measures when somebody asks, and never otherwise. */
export class UsageMeter {
  readonly #ports: UsagePorts
  #last: { readonly at: number; readonly usage: Promise<Usage> } | undefined
  #images: { readonly at: number; readonly of: Usage['images'] } | undefined
  #machine: Seen | undefined
  #containers: ReadonlyMap<string, Seen> = new Map()

  constructor(ports: UsagePorts) {
    this.#ports = ports
  }

  usage(): Promise<Usage> {
    const now = this.#ports.clock.monotonic()
    if (this.#last && isFresh(this.#last.at, now, FRESH)) return this.#last.usage
    const usage = this.#measure()
    this.#last = { at: now, usage }
    usage.catch(() => {
      this.#last = undefined
    })
    return usage
  }

  async #measure(): Promise<Usage> {
    const { clock, directory } = this.#ports
    const [use, disk, found, images] = await Promise.all([
      machineUse(),
      // Before the first pod it has no folder of its own.
      diskUse(directory).catch(() => diskUse('/')),
      this.#stats(),
      this.#ports.pods() ? this.#imagesNow().catch(() => undefined) : undefined,
    ])
    const at = clock.now()
    this.#machine = seenNow(this.#machine, at, use.cpuNanoseconds)
    const seen = new Map<string, Seen>()
    const containers = found.stats.map((stats) => {
      const now = seenNow(this.#containers.get(stats.id), stats.at ?? at, stats.cpuNanoseconds)
      seen.set(stats.id, now)
      return measured(stats, now)
    })
    this.#containers = seen
    const problem = found.problem === undefined ? {} : { problem: found.problem }
    return { at, machine: measured(use, this.#machine), containers, ...problem, disk, images }
  }

  async #stats(): Promise<{ readonly stats: readonly ContainerStats[]; readonly problem?: string }> {
    const owner = this.#ports.pods()?.owner
    if (owner === undefined) return { stats: [] }
    try {
      return { stats: await this.#ports.runtime.containerStats({ [LABELS.owner]: owner }) }
    } catch (error) {
      return { stats: [], problem: error instanceof Error ? error.message : String(error) }
    }
  }

  async #imagesNow(): Promise<Usage['images']> {
    const now = this.#ports.clock.monotonic()
    if (this.#images && isFresh(this.#images.at, now, IMAGES_FRESH)) return this.#images.of
    const [first] = await this.#ports.runtime.imageFilesystems()
    const of = first && { ...first, disk: await diskUse(first.mountpoint) }
    this.#images = { at: now, of }
    return of
  }
}

function isFresh(then: number, now: number, { milliseconds }: Duration): boolean {
  return now - then < milliseconds
}

function measured<T>(of: T, { at, nanoCores }: Seen): Measured<T> {
  return { ...of, cpuAt: at, ...(nanoCores === undefined ? {} : { nanoCores }) }
}

/** A count that goes back is that of something new. */
function seenNow(before: Seen | undefined, at: number, nanoseconds: number): Seen {
  if (!before || nanoseconds < before.nanoseconds) return { at, nanoseconds }
  const passed = at - before.at
  if (passed < LEAST_MS) return before
  return { at, nanoseconds, nanoCores: Math.round(((nanoseconds - before.nanoseconds) / passed) * 1000) }
}
