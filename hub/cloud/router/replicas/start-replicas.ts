import type { Scope } from '../../../../platform/lifecycle/index.ts'
import type { AuthorityHolder } from '../../authority/module.ts'
import type { AnyObject, Informer } from '../../kubernetes/index.ts'
import { ReplicaRoad } from './replica-road.ts'
import { type ReplicaServerPorts, serveReplicas } from './serve-replicas.ts'

export interface ReplicaOptions {
  /** Where calls of other replicas are taken. */
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** IP address at which other replicas reach this process. */
  readonly address: string
}

export interface ReplicaPorts extends Omit<ReplicaServerPorts, 'authority' | 'identity'> {
  readonly authority: AuthorityHolder
  readonly sessionLeases: Informer<AnyObject>
}

export interface Replicas {
  readonly road: ReplicaRoad
  /** What stands in the claims of nodes that are connected here. */
  readonly own: string
}

/** Makes this process one of several: it takes what they pass on, and can pass calls on itself. */
export async function startReplicas(
  { host, port, address }: ReplicaOptions,
  given: ReplicaPorts,
  scope: Scope,
): Promise<Replicas> {
  const authority = given.authority.current
  const ports = { ...given, authority, identity: await authority.issueReplica() }
  const server = scope.use(await serveReplicas({ host, port }, ports))
  const own = `${address.includes(':') ? `[${address}]` : address}:${server.port}`
  given.log.info('Router listens for other replicas', { host, port: server.port, own })
  return { road: new ReplicaRoad({ ...ports, own }), own }
}
