import { statfs } from 'node:fs/promises'
import { cpus, totalmem } from 'node:os'
import { machineAddress } from '../../../hub/edge/index.ts'
import type { Clock } from '../../../platform/time/index.ts'
import type { EdgeConfig } from '../../../schemas/config/index.ts'
import type { EdgedPorts } from '../../edged/index.ts'

/** Addresses change seldom, and every step of a pod asks. */
const LOOK_EVERY_MS = 10_000

/** This machine as pods are told of it. What they may have is what its Node says; the disk is that of the data directory. */
export async function machineOf(
  { node, edged: { reserved } }: Pick<EdgeConfig, 'node' | 'edged'>,
  directory: string,
  clock: Clock,
): Promise<EdgedPorts['machine']> {
  const { blocks, bsize } = await statfs(directory)
  const { memoryBytes, diskPercent } = node.pressure
  const allocatable = {
    milliCpu: Math.max(0, cpus().length * 1000 - reserved.milliCpu),
    memoryBytes: Math.max(0, totalmem() - reserved.memoryBytes - memoryBytes),
    diskBytes: Math.floor((blocks * bsize * (100 - diskPercent)) / 100),
  }
  const hostIps = addresses(node.address, clock)
  return () => ({ hostIps: hostIps(), allocatable })
}

function addresses(named: string | undefined, clock: Clock): () => readonly string[] {
  let seen = { at: Number.NEGATIVE_INFINITY, hostIps: [''] }
  return () => {
    const now = clock.monotonic()
    if (now - seen.at < LOOK_EVERY_MS) return seen.hostIps
    const address = named ?? machineAddress()
    seen = { at: now, hostIps: address === undefined ? [] : [address] }
    return seen.hostIps
  }
}
