import { badRequest, methodNotAllowed } from '../../kube/status.ts'
import type { Reply } from '../../serving/answers/answer.ts'
import { podLog } from '../../serving/streams/pod-log.ts'
import { isUpgrade, podCommand, podForward } from '../../serving/streams/pod-streams.ts'
import type { StreamRequest } from '../../serving/streams/stream-ports.ts'
import type { ApiStreamPorts } from './ports.ts'
import { proxied } from './proxied.ts'

/** Serves what goes through the API to a node: `connects` of a definition. Throws a Status. */
export type Connects = (asked: StreamRequest) => Promise<Reply>

export function createConnects(ports: ApiStreamPorts): Connects {
  return async (asked) => {
    const { path, url, verb } = asked
    if (path.subresource === 'log') return await podLog(asked, ports)
    if (url.searchParams.getAll('dryRun').some((value) => value !== '')) throw badRequest('dryRun is not supported')
    // Reading is not enough to run something, whatever the method of a WebSocket is; the kubelet of a node runs things, too.
    const mayRun = path.subresource !== 'proxy' || (path.plural === 'nodes' && isUpgrade(asked.sent))
    if (mayRun && verb !== 'create') asked.mayCreate()
    if (path.subresource === 'proxy') return await proxied(asked, ports)
    switch (path.subresource) {
      case 'exec':
      case 'attach':
        return await podCommand(path.subresource, asked, ports)
      case 'portforward':
        return await podForward(asked, ports)
      default:
        throw methodNotAllowed()
    }
  }
}
