import { forbidden, type StatusError } from '../../kube/status.ts'
import type { User } from '../rest/context.ts'

/** What somebody wants to do. */
export interface Attributes {
  readonly verb: string
  readonly path: string
  /** Undefined for paths that name no resource. */
  readonly resource?: {
    readonly group: string
    readonly version: string
    readonly plural: string
    readonly subresource: string
    readonly namespace: string
    readonly name: string
  }
}

/** Decides about every request that is not about the server's health. */
export type Authorizer = (user: User, attributes: Attributes) => boolean

/** The group of the cloud half's own certificate. */
export const CLOUD_GROUP = 'skerry:cloud'
export const ADMIN_GROUP = 'system:masters'

/** Administrators and the cloud half may do everything, others nothing. */
export const admitOperators: Authorizer = (user) =>
  user.groups.includes(ADMIN_GROUP) || user.groups.includes(CLOUD_GROUP)

/** In the words of Kubernetes' authorizer. */
export function refusal(user: User, { verb, path, resource }: Attributes): StatusError {
  if (!resource) return forbidden(undefined, '', `User "${user.name}" cannot ${verb} path "${path}"`)
  const { group, plural, subresource, namespace, name } = resource
  const what = subresource === '' ? plural : `${plural}/${subresource}`
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace "${namespace}"`
  const why = `User "${user.name}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`
  return forbidden({ group, plural }, name, why)
}
