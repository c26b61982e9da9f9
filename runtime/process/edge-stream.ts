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
import type { EdgedModule } from '../edged/index.ts'
import type { Ground } from './host.ts'

/** EdgeStream as the configuration wants it, with Edged's kubelet server where pods run here. */
export function composeEdgeStream(
  config: EdgeConfig,
  { rotation, edged }: { readonly rotation: () => Rotation; readonly edged: Pick<EdgedModule, 'socket'> | undefined },
  { log, metrics }: Pick<Ground, 'log' | 'metrics'>,
): EdgeStream {
  const { cloud, node } = config
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
  if (edged) edgeStream.targets.serve('edged', toSocket(edged.socket))
  return edgeStream
}
