import { readFile, statfs } from 'node:fs/promises'
import { cpus, totalmem, uptime } from 'node:os'

/** What this machine uses as a whole. */
export interface MachineUse {
  /** Processor time since its start, of all processors together. */
  readonly cpuNanoseconds: number
  /** Seconds that it is up. */
  readonly uptime: number
  readonly memory: {
    readonly totalBytes: number
    /** All but what is free. */
    readonly usedBytes: number
    /** Without files that were not used lately. */
    readonly workingSetBytes: number
    readonly rssBytes: number
  }
}

export interface DiskUse {
  readonly capacityBytes: number
  readonly availableBytes: number
  readonly usedBytes: number
  readonly inodes: number
  readonly inodesFree: number
}

export async function machineUse(): Promise<MachineUse> {
  // Of Linux alone; elsewhere no containers run, and what is not known is none.
  const read = readMemory(await readFile('/proc/meminfo', 'latin1').catch(() => ''))
  const bytes = (name: string) => read.get(name) ?? 0
  const totalBytes = totalmem()
  const usedBytes = totalBytes - bytes('MemFree')
  let busyMs = 0
  for (const { times } of cpus()) busyMs += times.user + times.nice + times.sys + times.irq
  return {
    ...{ cpuNanoseconds: busyMs * 1_000_000, uptime: uptime() },
    memory: {
      ...{ totalBytes, usedBytes, rssBytes: bytes('AnonPages') },
      workingSetBytes: Math.max(0, usedBytes - bytes('Inactive(file)')),
    },
  }
}

/** Of the file system that a folder is on. */
export async function diskUse(folder: string): Promise<DiskUse> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(folder)
  return {
    capacityBytes: blocks * bsize,
    availableBytes: bavail * bsize,
    usedBytes: (blocks - bfree) * bsize,
    ...{ inodes: files, inodesFree: ffree },
  }
}

/** Bytes by name, of `MemFree:  123 kB`. */
export function readMemory(text: string): ReadonlyMap<string, number> {
  const found = [...text.matchAll(/^([\w()]+): +(\d+) kB$/gm)]
  return new Map(found.map(([, name = '', count]) => [name, Number(count) * 1024]))
}
