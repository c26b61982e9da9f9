/** What clients without credentials may do: everything a client may, read and ask, or nothing. */
export type Anonymous = 'full' | 'read-only' | 'none'

/** Last levels of the topics on which the edge answers, announces or is told by the cloud. */
const FROM_EDGE = new Set(['result', 'delta', 'document', 'updated', 'cloud_updated', 'edge_updated', 'detail'])

/** Why a client may not publish on this topic, or nothing. */
export function refusePublish(anonymous: Anonymous, topic: string): string | undefined {
  if (anonymous === 'none') return 'clients without credentials may not publish'
  if (topic.startsWith('$SYS/') || topic.startsWith('$skerry/')) return 'the topic is reserved for the broker'
  const isEdgeTopic = topic.startsWith('$hw/')
  const last = topic.slice(topic.lastIndexOf('/') + 1)
  if (isEdgeTopic && FROM_EDGE.has(last)) return 'only the edge publishes on this topic'
  if (anonymous === 'read-only' && !(isEdgeTopic && last === 'get')) {
    return 'clients without credentials may read, and publish on .../get only'
  }
  return undefined
}

/** Why a client may not connect, or nothing. */
export function refuseConnect(anonymous: Anonymous): string | undefined {
  return anonymous === 'none' ? 'clients without credentials may not connect' : undefined
}
