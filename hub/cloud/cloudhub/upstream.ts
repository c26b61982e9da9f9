import {
  type Frame,
  type FrameRoute,
  GROUPS,
  HELD_RESOURCE,
  MODULES,
  OPERATIONS,
  parseCloudCall,
} from '../../../schemas/index.ts'
import type { UpstreamKind } from './delivery.ts'

/** Who deals with a frame from an edge. */
export type UpstreamRoute = 'user' | 'tasks' | 'cluster-ca' | UpstreamKind

const CLOUD_SOURCES: ReadonlySet<string> = new Set([
  MODULES.cloudHub,
  MODULES.deviceController,
  MODULES.edgeController,
  MODULES.syncController,
  'cloudStream',
])

/** No edge may speak in the name of a cloud module. */
export function isCloudSource(source: string | undefined): boolean {
  return source !== undefined && CLOUD_SOURCES.has(source)
}

const TASK_OPERATIONS: ReadonlySet<string> = new Set(['prepull', 'upgrade', 'UpdateNodeActionStatus'])

/** KubeEdge's order of evaluation, after keepalives and receipts. */
export function upstreamRoute({ route, content }: Pick<Frame, 'route' | 'content'>): UpstreamRoute {
  if (isUpload(route)) return isWaiting(route, content) ? 'calls' : 'user'
  if (isHeld(route)) return 'held'
  if (route.operation !== undefined && TASK_OPERATIONS.has(route.operation)) return 'tasks'
  if (route.resource === 'k8s/ca.crt') return 'cluster-ca'
  if (route.source === 'metaserver') return 'applications'
  return route.source === MODULES.twin ? 'devices' : 'edge'
}

function isUpload({ operation, group }: FrameRoute): boolean {
  return operation === OPERATIONS.upload && group === GROUPS.user
}

function isHeld({ operation, group, resource }: FrameRoute): boolean {
  return operation === OPERATIONS.query && group === GROUPS.user && resource === HELD_RESOURCE
}

/** An application waits for the answer of a target; an original edge always does. */
function isWaiting({ source }: FrameRoute, content: Frame['content']): boolean {
  return source === MODULES.serviceBus && parseCloudCall(content)?.wait !== false
}
