import { type FrameRoute, GROUPS, MODULES, OPERATIONS } from '../../../schemas/index.ts'

/** Who deals with a frame from an edge. */
export type UpstreamRoute = 'user' | 'tasks' | 'cluster-ca' | 'application' | 'devices' | 'edge'

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
export function upstreamRoute(route: FrameRoute): UpstreamRoute {
  if (route.operation === OPERATIONS.upload && route.group === GROUPS.user) return 'user'
  if (route.operation !== undefined && TASK_OPERATIONS.has(route.operation)) return 'tasks'
  if (route.resource === 'k8s/ca.crt') return 'cluster-ca'
  if (route.source === 'metaserver') return 'application'
  return route.source === MODULES.twin ? 'devices' : 'edge'
}
