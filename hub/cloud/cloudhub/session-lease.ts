import { SYSTEM_NAMESPACE } from '../authority/secrets.ts'
import type { AnyObject, Informer } from '../kubernetes/index.ts'

/**
 * Where other replicas reach the one that has the session: `<address>:<port> <session>`. The session stands there too, because a
 * replica that knows nothing of this leaves the annotation of the one before.
 */
const REPLICA_ANNOTATION = 'skerry.dev/replica'

/** Of the Lease that says which session has the node. */
export function leaseOf(node: string) {
  return { namespace: SYSTEM_NAMESPACE, name: node }
}

export function holderOf({ spec }: AnyObject): string | undefined {
  const holder = spec?.['holderIdentity']
  return typeof holder === 'string' && holder !== '' ? holder : undefined
}

export function placeAnnotations(place: string | undefined, session: string) {
  return place === undefined ? {} : { annotations: { [REPLICA_ANNOTATION]: `${place} ${session}` } }
}

/** `<address>:<port>` of the replica that has claimed the node; nothing where none did, or it cannot be reached. */
export function placeOfNode(leases: Pick<Informer<AnyObject>, 'get'>, node: string): string | undefined {
  const lease = leases.get(leaseOf(node))
  if (!lease) return undefined
  const [place, session] = lease.metadata.annotations?.[REPLICA_ANNOTATION]?.split(' ') ?? []
  return place && session !== undefined && session === holderOf(lease) ? place : undefined
}
