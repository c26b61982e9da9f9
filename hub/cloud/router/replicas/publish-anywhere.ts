import type { CloudHub } from '../../cloudhub/delivery.ts'
import { type Publication, type PublishOptions, publishAt } from '../targets/event-bus.ts'
import type { ReplicaRoad } from './replica-road.ts'

export interface AnywherePorts {
  readonly hub: Pick<CloudHub, 'ask' | 'tell' | 'peerOf'>
  /** Absent: this is the only replica, or it passes nothing on. */
  readonly replicas?: ReplicaRoad
}

/** The replica that has the node, where it is not this one. */
export function placeElsewhere(
  { hub, replicas }: { readonly hub: Pick<CloudHub, 'peerOf'>; readonly replicas?: ReplicaRoad | undefined },
  node: string,
): string | undefined {
  return replicas && !hub.peerOf(node) ? replicas.placeOf(node) : undefined
}

/** Publishes at a node, once, through whichever replica has it. Rejects as `publishAt` does. */
export function publishAnywhere(
  { hub, replicas }: AnywherePorts,
  publication: Publication,
  options: PublishOptions,
): Promise<'delivered' | 'handed'> {
  const place = placeElsewhere({ hub, replicas }, publication.node)
  if (place === undefined || !replicas) return publishAt(hub, publication, options)
  return replicas.publish(place, publication, options)
}
