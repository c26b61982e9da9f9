import { type LeftOut, NONE_LEFT_OUT, SERVICE_KINDS } from '../../../../schemas/index.ts'
import type { Delivery } from '../../cloudhub/delivery.ts'
import type { NamespaceFeed } from './namespace-feed.ts'
import type { ServiceEntry } from './service-entry.ts'
import type { ServiceLimits } from './service-limits.ts'

export interface Fitted {
  /** What the node should have, and last which namespaces that is all of. */
  readonly deliveries: readonly Delivery[]
  /** Objects beyond what a node is given. */
  readonly beyond: number
}

/** What a node should have of the namespaces of its pods, in the order of these; `refuses`: what it said that it cannot take. Pure. */
export function fit(
  feeds: readonly NamespaceFeed[],
  limits: Pick<ServiceLimits, 'objects' | 'bytes'>,
  refuses: (entry: ServiceEntry) => boolean = () => false,
): Fitted {
  const left = { objects: limits.objects, bytes: limits.bytes }
  const leftOut = new Map<NamespaceFeed, Record<keyof LeftOut, number>>()
  for (const feed of feeds) leftOut.set(feed, { ...feed.tooLarge })
  const deliveries: Delivery[] = []
  let beyond = 0
  // The services of all namespaces before the endpoints of any.
  for (const kind of SERVICE_KINDS) {
    for (const feed of feeds) {
      for (const entry of feed.entries) {
        if (entry.kind !== kind) continue
        const isRoom = left.objects > 0 && entry.bytes <= left.bytes
        if (isRoom && !refuses(entry)) {
          left.objects--
          left.bytes -= entry.bytes
          deliveries.push(entry.delivery)
        } else {
          beyond++
          const counts = leftOut.get(feed)
          if (counts) counts[kind]++
        }
      }
    }
  }
  const markers = feeds.map((feed) => feed.marker(leftOut.get(feed) ?? NONE_LEFT_OUT))
  return { deliveries: [...deliveries, ...markers], beyond }
}
