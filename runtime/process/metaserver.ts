import { createMetaServerModule, type MetaServerPorts } from '../../hub/edge/index.ts'
import type { Module } from '../../platform/lifecycle/index.ts'
import { systemClock as clock, systemRandom as random } from '../../platform/time/index.ts'
import type { EdgeConfig, Endpoints } from '../../schemas/config/index.ts'
import type { Ground } from './host.ts'
import { metaServerFolder } from './metaserver-folder.ts'
import { openNodeAddress } from './pods/node-address.ts'

/** What MetaServer shows of the rest of the edge. */
export type MetaServerParts = Pick<MetaServerPorts, 'store' | 'meta' | 'bus' | 'applications' | 'node' | 'edged'>

/** MetaServer as the configuration wants it. */
export function composeMetaServer(
  { metaServer, edged, node: { name: nodeName } }: EdgeConfig,
  parts: MetaServerParts,
  { directory, log, metrics }: Omit<Ground, 'states'>,
): { readonly modules: readonly Module[]; endpoints(): Endpoints } {
  if (!metaServer.enabled) return { modules: [], endpoints: () => ({}) }
  const { host, port, audiences } = metaServer
  const { address } = edged.twins
  const pods = edged.enabled ? { pods: { address, open: (wanted: string) => openNodeAddress(wanted) } } : {}
  const module = createMetaServerModule(
    { ...parts, nodeName, clock, random, log, metrics },
    { host, port, audiences, folder: metaServerFolder(directory), ...pods },
  )
  return { modules: [module], endpoints: () => (module.url === undefined ? {} : { metaserver: module.url }) }
}
