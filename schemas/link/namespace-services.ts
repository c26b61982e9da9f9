import type { KubeObject } from '../device/index.ts'

/** Upgrade header by which an edge with MetaServer says that it keeps the services of the namespaces of its pods; only between Skerry peers. */
export const SERVICES_HEADER = 'x-skerry-services'
export const SERVICES_KEPT = 'kept'

/** What is kept, the most useful first: what is beyond the bounds of a node is left out from the end. */
export const SERVICE_KINDS = ['Service', 'EndpointSlice', 'Endpoints'] as const
export type ServiceKind = (typeof SERVICE_KINDS)[number]

export const NAMESPACE_SERVICES = 'NamespaceServices'
/** Its type in a resource on the wire. */
export const NAMESPACE_SERVICES_TYPE = 'namespaceservices'

/**
 * Says that an edge has the services of a namespace, but for so many that were left out. Goes as `shop/namespaceservices/all` when all of
 * them went before; it is no object of the Kubernetes API.
 */
export interface NamespaceServices extends KubeObject {
  readonly spec: { readonly leftOut: LeftOut }
}
export type LeftOut = Readonly<Record<ServiceKind, number>>

export const NONE_LEFT_OUT: LeftOut = { Service: 0, EndpointSlice: 0, Endpoints: 0 }

export function namespaceServicesResource(namespace: string): string {
  return `${namespace}/${NAMESPACE_SERVICES_TYPE}/all`
}
