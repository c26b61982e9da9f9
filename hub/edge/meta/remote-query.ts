import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Frame, GROUPS, type Json, MODULES, OPERATIONS } from '../../../schemas/index.ts'
import type { CloudRequests } from '../edge-hub.ts'
import type { MetaManager } from './meta-manager.ts'

export interface RemoteQueryPorts {
  readonly cloud: CloudRequests
  readonly meta: MetaManager
  readonly log: Logger
}

/**
 * An object of the cloud by its resource (`<namespace>/configmap/<name>`): asked for while there is a link, and kept on disk;
 * from disk without one. Undefined where neither has it. A failure of the cloud is thrown and never kept as if it were the object.
 */
export async function queryObject(resource: string, ports: RemoteQueryPorts): Promise<Json | undefined> {
  const { cloud, meta, log } = ports
  if (!cloud.isConnected) return meta.stored(resource)
  const route = { source: MODULES.metaManager, group: GROUPS.meta, operation: OPERATIONS.query, resource }
  const answer = await cloud.ask(route, null)
  const failure = failureOf(answer)
  if (failure === undefined) await meta.remember(resource, answer)
  // Without this receipt the cloud sends its answer again. It does no harm when it does.
  await cloud.acknowledge(answer).catch((error: unknown) => log.debug('A receipt was not sent', { resource, error }))
  if (failure === undefined) return answer.content
  throw new RefusedError('The cloud could not answer the query', {
    code: 'HUB_QUERY_FAILED',
    fields: { resource, reason: failure },
  })
}

/** KubeEdge answers a failed query with a response whose content is the error. */
function failureOf({ content }: Frame): string | undefined {
  if (typeof content !== 'object' || content === null || !('ErrStatus' in content)) return undefined
  return JSON.stringify(content['ErrStatus']).slice(0, 500)
}
