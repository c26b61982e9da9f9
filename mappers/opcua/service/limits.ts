import { AttributeIds, type ClientSession, VariableIds } from 'node-opcua-client'
import type { BatchLimit } from './batches.ts'

/** What the server takes in one request. */
export interface Limits {
  readonly read: BatchLimit
  readonly write: BatchLimit
  readonly browse: BatchLimit
  readonly translate: BatchLimit
  readonly monitor: BatchLimit
}

/** Of a server that names no limit; also the most that is asked for in one request. */
const MOST = 1000

export async function readLimits(session: ClientSession): Promise<Limits> {
  const nodes = [
    VariableIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerRead,
    VariableIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerWrite,
    VariableIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerBrowse,
    VariableIds.Server_ServerCapabilities_OperationLimits_MaxNodesPerTranslateBrowsePathsToNodeIds,
    VariableIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall,
  ]
  const said = await session.read(nodes.map((id) => ({ nodeId: `i=${id}`, attributeId: AttributeIds.Value })))
  const limit = (at: number): BatchLimit => {
    const value: unknown = said[at]?.value.value
    return { size: typeof value === 'number' && value > 0 ? Math.min(value, MOST) : MOST }
  }
  return { read: limit(0), write: limit(1), browse: limit(2), translate: limit(3), monitor: limit(4) }
}
