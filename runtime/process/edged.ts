import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { machineAddress } from '../../hub/edge/index.ts'
import type { Bus } from '../../platform/bus/index.ts'
import type { Module } from '../../platform/lifecycle/index.ts'
import { systemClock as clock, systemRandom as random } from '../../platform/time/index.ts'
import type { EdgeConfig } from '../../schemas/config/index.ts'
import { createEdgedModule, createPodAccess } from '../edged/index.ts'
import type { Ground } from './host.ts'
import { memoryFolder } from './pods/memory-folder.ts'

/** Modules of a node that runs pods. */
export interface ComposedEdged {
  /** Before the broker: clients that come back at once find their accounts. */
  readonly access: Module
  readonly edged: Module
}

/** Edged as the configuration wants it. */
export async function composeEdged(config: EdgeConfig, bus: Bus, ground: Ground): Promise<ComposedEdged> {
  const { log, metrics } = ground
  const { edged, node } = config
  const directory = edged.directory ?? join(ground.directory, 'edged')
  const access = createPodAccess({
    ...{ bus, folder: join(directory, 'accounts') },
    handouts: await memoryFolder(ground.directory),
  })
  const module = createEdgedModule(
    {
      ...{ directory, logs: edged.logs ?? join(directory, 'logs') },
      ...(edged.runtime === undefined ? {} : { runtime: edged.runtime }),
      ...{ maxPods: edged.maxPods, parallelPulls: edged.parallelPulls, reserved: edged.reserved, dns: edged.dns },
      ...{ allowedSysctls: edged.allowedSysctls, shared: edged.twins.shared },
      ...(edged.staticPods === undefined ? {} : { staticPods: edged.staticPods }),
      upkeep: {
        images: edged.images,
        containerLogs: { maxBytes: edged.containerLogs.maxMegabytes * 1024 ** 2, maxFiles: edged.containerLogs.files },
        eviction: node.pressure,
      },
    },
    { bus, nodeName: node.name, access, machine: machineFor(config), clock, random, log, metrics },
  )
  return { access, edged: module }
}

/** Addresses change seldom, and every step of a pod asks. */
const LOOK_EVERY_MS = 10_000

function machineFor({ node, edged }: EdgeConfig) {
  let seen = { at: Number.NEGATIVE_INFINITY, hostIps: [''] }
  const hostIps = () => {
    const now = clock.monotonic()
    if (now - seen.at < LOOK_EVERY_MS) return seen.hostIps
    const address = node.address ?? machineAddress()
    seen = { at: now, hostIps: address === undefined ? [] : [address] }
    return seen.hostIps
  }
  const allocatable = {
    milliCpu: cpus().length * 1000 - edged.reserved.milliCpu,
    memoryBytes: totalmem() - edged.reserved.memoryBytes,
    diskBytes: 0,
  }
  return () => ({ hostIps: hostIps(), allocatable })
}
