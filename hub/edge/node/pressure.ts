import { readFile, statfs } from 'node:fs/promises'
import { freemem } from 'node:os'
import { type Clock, minutes } from '../../../platform/time/index.ts'
import type { NodeCondition } from './conditions.ts'

/** What is left on the machine; undefined where it does not tell. */
export interface Room {
  readonly memoryBytes?: number
  /** Of the disk of the data directory, in percent. */
  readonly diskPercent?: number
  readonly inodePercent?: number
  readonly pidPercent?: number
  readonly diskBytes?: number
}

/** Below these the machine is under pressure. */
export interface Thresholds {
  readonly memoryBytes: number
  readonly diskPercent: number
  readonly inodePercent: number
  readonly pidPercent: number
}

/** Those of a kubelet; it has none for processes. */
export const DEFAULT_THRESHOLDS: Thresholds = {
  memoryBytes: 100 * 1024 ** 2,
  diskPercent: 10,
  inodePercent: 5,
  pidPercent: 10,
}

/** A kubelet's: so long a condition stays, so that it does not flap and with it the taints of the node. */
const LINGER = minutes(5)

export async function measureRoom(directory: string): Promise<Room> {
  const [memory, disk, pids] = await Promise.all([memoryLeft(), diskLeft(directory), pidsLeft()])
  return { ...(memory === undefined ? {} : { memoryBytes: memory }), ...disk, ...pids }
}

/** Remembers when each pressure was last seen. */
export class Pressures {
  readonly #thresholds: Thresholds
  readonly #clock: Clock
  readonly #seen = new Map<string, number>()

  constructor(thresholds: Thresholds, clock: Clock) {
    this.#thresholds = thresholds
    this.#clock = clock
  }

  conditions(room: Room): readonly NodeCondition[] {
    const { memoryBytes, diskPercent, inodePercent, pidPercent } = this.#thresholds
    const mebibytes = `${Math.round(memoryBytes / 1024 ** 2)} MiB of memory`
    const files = `${diskPercent} % of the disk or ${inodePercent} % of its inodes`
    const disk = worst(isBelow(room.diskPercent, diskPercent), isBelow(room.inodePercent, inodePercent))
    return [
      this.#condition('MemoryPressure', isBelow(room.memoryBytes, memoryBytes), 'Memory', mebibytes),
      this.#condition('DiskPressure', disk, 'Disk', files),
      this.#condition('PIDPressure', isBelow(room.pidPercent, pidPercent), 'PIDs', `${pidPercent} % of process ids`),
    ]
  }

  /** Texts hold no figure that changes by itself: each other text is a report to the cloud. */
  #condition(type: string, isLow: boolean | undefined, what: string, least: string): NodeCondition {
    const now = this.#clock.monotonic()
    if (isLow === undefined) {
      return { type, status: 'Unknown', reason: `${what}NotMeasured`, message: 'this machine does not tell' }
    }
    if (isLow) {
      this.#seen.set(type, now)
      return { type, status: 'True', reason: `Low${what}`, message: `less than ${least} are left` }
    }
    const seen = this.#seen.get(type)
    if (seen !== undefined && now - seen < LINGER.milliseconds) {
      const message = `less than ${least} were left within the last ${LINGER.milliseconds / 60_000} minutes`
      return { type, status: 'True', reason: `Low${what}`, message }
    }
    return { type, status: 'False', reason: `Sufficient${what}`, message: `at least ${least} are left` }
  }
}

function isBelow(left: number | undefined, least: number): boolean | undefined {
  return left === undefined ? undefined : left < least
}

/** One that is low is enough; one that is unknown is not. */
function worst(one: boolean | undefined, other: boolean | undefined): boolean | undefined {
  if (one === true || other === true) return true
  return one ?? other
}

/** What can be had without swapping; on other systems than Linux what is free. */
async function memoryLeft(): Promise<number | undefined> {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec((await textIn('/proc/meminfo')) ?? '')?.[1]
  return kibibytes === undefined ? freemem() : Number(kibibytes) * 1024
}

async function diskLeft(directory: string) {
  const { blocks, bavail, bsize, files, ffree } = await statfs(directory)
  return {
    ...(blocks > 0 ? { diskPercent: (100 * bavail) / blocks, diskBytes: blocks * bsize } : {}),
    // Some file systems make inodes as they go, and say 0.
    ...(files > 0 ? { inodePercent: (100 * ffree) / files } : {}),
  }
}

async function pidsLeft() {
  const most = Number(await textIn('/proc/sys/kernel/pid_max'))
  // proc_loadavg(5): the fourth field is running/existing scheduling entities.
  const existing = Number(/^(?:\S+ ){3}\d+\/(\d+)/.exec((await textIn('/proc/loadavg')) ?? '')?.[1])
  return most > 0 && existing > 0 ? { pidPercent: (100 * Math.max(0, most - existing)) / most } : {}
}

async function textIn(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined
    throw error
  }
}
