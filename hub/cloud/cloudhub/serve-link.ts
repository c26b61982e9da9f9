import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Link } from '../../link/index.ts'
import type { NodePeer } from './delivery.ts'
import type { Hub } from './hub.ts'

/** One session of a node, for as long as its link lasts. */
export async function serveLink(hub: Hub, link: Link, peer: NodePeer): Promise<void> {
  const session = hub.connect(peer, link)
  let reason = 'the edge closed the connection'
  try {
    for await (const frame of link.frames) {
      hub.receive(session, frame)
      await session.room()
    }
    reason = await link.closed
  } catch (error) {
    reason = describeError(error)
  } finally {
    hub.disconnect(session, reason)
  }
}
