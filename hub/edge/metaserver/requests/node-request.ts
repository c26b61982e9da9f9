import type { Bus } from '../../../../platform/bus/index.ts'
import type { Logger } from '../../../../platform/log/index.ts'
import type { Attributes } from '../../../kube/rbac/index.ts'
import type { ResourceDefinition } from '../../../kube/resource.ts'
import { failure, forbidden, type StatusError } from '../../../kube/status.ts'
import type { ReadContext } from '../../../serving/reading/context.ts'
import type { ResourcePath } from '../../../serving/requests/paths.ts'
import type { AskedResource } from '../../../serving/requests/resource-request.ts'
import type { Applications } from '../../applications/applications.ts'
import type { MetaManager } from '../../meta/meta-manager.ts'
import type { Rights } from '../access/rights.ts'
import type { Kinds } from '../objects/kinds.ts'
import type { NodeObjects } from '../objects/node-objects.ts'
import type { Copies } from './copies.ts'

/** What every request to MetaServer needs. */
export interface NodeContext extends ReadContext {
  readonly store: NodeObjects
  readonly kinds: Kinds
  readonly rights: Rights
  readonly applications: Applications
  readonly copies: Copies
  readonly meta: Pick<MetaManager, 'expect' | 'remember' | 'forgo' | 'held' | 'stored' | 'keys' | 'drop'>
  readonly bus: Bus
  /** Shows what is known of an object now; of the wire. */
  readonly refresh: (resource: string) => void
  readonly nodeName: string
  /** Told of what the cloud answers to who asks for resources. */
  readonly noticed: (path: ResourcePath, isRead: boolean, code: number) => void
  readonly log: Logger
}

/** A request whose verb means something. */
export interface NodeRequest extends Omit<AskedResource, 'verb'> {
  readonly verb: NonNullable<AskedResource['verb']>
  /** Undefined for a kind that nothing here declares. */
  readonly definition: ResourceDefinition | undefined
  readonly attributes: Attributes
}

/** How the object is called on the wire. */
export function wireResource(definition: ResourceDefinition, namespace: string, name: string): string {
  return `${definition.namespaced ? namespace : 'null'}/${definition.kind.toLowerCase()}/${name}`
}

/** Of a local person, whom the cluster does not know. */
export function notHisOwn({ path, attributes, user }: NodeRequest): StatusError {
  const why = `${user.name} is known on this node alone, and the cluster does not know it: to ${attributes.verb} this, give a token of the cluster (kubectl --token)`
  return forbidden(path, path.name, why)
}

/** Only the cloud could do it. Without a time after which to try again: clients would wait for that, and then for the next. */
export function offline(why: string): StatusError {
  return failure(503, 'ServiceUnavailable', `the cloud is not connected: ${why}`)
}
