import { join } from 'node:path'
import {
  createEdgeStream,
  distrustEnded,
  type EdgeStream,
  machineAddress,
  type Rotation,
  toSocket,
} from '../../hub/edge/index.ts'
import { systemClock as clock, systemRandom as random, seconds } from '../../platform/time/index.ts'
import type { EdgeConfig } from '../../schemas/config/index.ts'
import type { Ground } from './host.ts'

/** EdgeStream as the configuration wants it, with Edged's kubelet server where pods run here. */
export function composeEdgeStream(config: EdgeConfig, rotation: () => Rotation, ground: Ground): EdgeStream {
  const { cloud, node, edged } = config
  const { directory, log, metrics } = ground
  const edgeStream = createEdgeStream({
    server: cloud.server,
    ...(cloud.tunnel === undefined ? {} : { tunnel: cloud.tunnel }),
    nodeName: node.name,
    address: () => node.address ?? machineAddress() ?? '127.0.0.1',
    identity: () => rotation().identity(),
    onFailed: (error) => distrustEnded(error, rotation()),
    longestPause: seconds(cloud.retrySeconds),
    ...{ clock, random, log, metrics },
  })
  if (edged.enabled) edgeStream.targets.serve('edged', toSocket(join(directory, 'edged.sock')))
  return edgeStream
}
