import {
  GROUPS,
  type Json,
  MODULES,
  OBJECT_DIGEST_BOUND,
  OBJECT_DIGEST_RESOURCE,
  OPERATIONS,
} from '../../../schemas/index.ts'
import type { FrameFactory } from '../../link/index.ts'
import type { Road, RoadUser } from '../road.ts'
import { type TellPagesPorts, tellPages } from '../session/tell-pages.ts'
import type { MetaManager } from './meta-manager.ts'

export interface ObjectDigestPorts extends TellPagesPorts {
  readonly meta: MetaManager
  readonly frames: FrameFactory
}

const ROUTE = {
  source: MODULES.metaManager,
  group: GROUPS.resource,
  operation: OPERATIONS.query,
  resource: OBJECT_DIGEST_RESOURCE,
}

/** Once for each link to a Skerry cloud: what this node holds is told, so that the cloud need not believe what it remembers of it. */
export function createObjectDigest(ports: ObjectDigestPorts): RoadUser {
  const { meta, frames } = ports
  const tell = async (road: Road, keys: readonly string[], isLast: boolean) => {
    // As they are now: what came meanwhile the cloud knows by its receipt.
    const objects = keys.flatMap((key): Json[] => {
      const held = meta.held(key)
      return held && held.uid !== '' ? [{ ...held }] : []
    })
    await road.ask(frames.make(ROUTE, { skerry: { objects, isLast } }))
  }
  return {
    connected(road) {
      if (!road.isSkerry) return
      const pages = {
        items: meta.keys(),
        bound: OBJECT_DIGEST_BOUND,
        tell: (keys: readonly string[], isLast: boolean) => tell(road, keys, isLast),
      }
      void tellPages(ports, pages, road.signal)
    },
    disconnected: () => undefined,
  }
}
