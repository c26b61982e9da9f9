import { badRequest, methodNotAllowed } from '../../kube/status.ts'
import type { Reply } from '../../serving/answers/answer.ts'
import { podLog } from '../../serving/streams/pod-log.ts'
import { podCommand, podForward } from '../../serving/streams/pod-streams.ts'
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
    if (path.subresource === 'proxy') return await proxied(asked, ports)
    // Reading is not enough to run something, whatever the method of a WebSocket is.
    if (verb !== 'create') asked.mayCreate()
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
