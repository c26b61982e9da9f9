import type { Anonymous } from '../../../schemas/config/index.ts'
import { PLAIN_PREFIX, parsePlainSet } from '../../../schemas/index.ts'

/** Last levels of the topics on which the edge answers, announces or is told by the cloud. */
const FROM_EDGE = new Set(['result', 'delta', 'document', 'updated', 'cloud_updated', 'edge_updated', 'detail'])

/** Only the edge publishes there, whoever the client is. */
export function isOfEdge(topic: string): boolean {
  // What clients send to the cloud may end in any word.
  if (topic.startsWith('$hw/events/upload/')) return false
  if (topic.startsWith('$SYS/') || topic.startsWith('$skerry/')) return true
  if (isUnderView(topic)) return !parsePlainSet(topic)
  return topic.startsWith('$hw/') && FROM_EDGE.has(lastOf(topic))
}

/** The edge alone makes what is retained there; what a client may publish there is heard once and not kept. */
export function isUnderView(topic: string): boolean {
  return topic.startsWith(`${PLAIN_PREFIX}/`) || topic === PLAIN_PREFIX
}

/** Why a client may not publish on a topic that is not of the edge, or nothing. */
export function refusePublish(anonymous: Anonymous, topic: string): string | undefined {
  if (anonymous === 'none') return 'clients without credentials may not publish'
  if (anonymous === 'read-only' && !(topic.startsWith('$hw/') && lastOf(topic) === 'get')) {
    return 'clients without credentials may read, and publish on .../get only'
  }
  return undefined
}

/** Why a client may not connect, or nothing. */
export function refuseConnect(anonymous: Anonymous): string | undefined {
  return anonymous === 'none' ? 'clients without credentials may not connect' : undefined
}

function lastOf(topic: string): string {
  return topic.slice(topic.lastIndexOf('/') + 1)
}
