import { join } from 'node:path'
import type { Bus } from '../../platform/bus/index.ts'
import type { Module } from '../../platform/lifecycle/index.ts'
import { systemClock as clock, systemRandom as random } from '../../platform/time/index.ts'
import type { EdgeConfig } from '../../schemas/config/index.ts'
import { createEdgedModule, type EdgedModule, latePodAccess } from '../edged/index.ts'
import type { Ground } from './host.ts'
import { machineOf } from './pods/machine.ts'
import { memoryFolder } from './pods/memory-folder.ts'

/** Modules of a node that runs pods. */
export interface ComposedEdged {
  /** Before the broker: clients that come back at once find their accounts. */
  readonly access: Module
  readonly edged: EdgedModule
}

/** Edged as the configuration wants it. */
export async function composeEdged(config: EdgeConfig, bus: Bus, ground: Ground): Promise<ComposedEdged> {
  const { log, metrics } = ground
  const { edged, node } = config
  const directory = edged.directory ?? join(ground.directory, 'edged')
  const access = latePodAccess({
    ...{ bus, log, folder: join(directory, 'accounts') },
    handouts: await memoryFolder(ground.directory),
  })
  const module = createEdgedModule(
    {
      ...{ directory, logs: edged.logs ?? join(directory, 'logs'), socketFolder: ground.directory },
      ...(edged.runtime === undefined ? {} : { runtime: edged.runtime }),
      ...(edged.port === undefined ? {} : { port: edged.port }),
      ...{ maxPods: edged.maxPods, parallelPulls: edged.parallelPulls, reserved: edged.reserved, dns: edged.dns },
      ...{ allowedSysctls: edged.allowedSysctls, shared: edged.twins.shared },
      ...(edged.staticPods === undefined ? {} : { staticPods: edged.staticPods }),
      upkeep: {
        images: edged.images,
        containerLogs: { maxBytes: edged.containerLogs.maxMegabytes * 1024 ** 2, maxFiles: edged.containerLogs.files },
        eviction: node.pressure,
      },
    },
    {
      bus,
      nodeName: node.name,
      access,
      machine: await machineOf(config, ground.directory, clock),
      clock,
      random,
      log,
      metrics,
    },
  )
  return { access, edged: module }
}
