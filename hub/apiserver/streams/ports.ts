import type { Clock, Random } from '../../../platform/time/index.ts'
import type { AskedResource } from '../../serving/requests/resource-request.ts'
import type { ObjectStore } from '../storage/object-store.ts'
import type { LocateNode } from './node-places.ts'
import type { StreamRoom } from './stream-room.ts'

/** What goes through the API to a node needs this. */
export interface StreamPorts {
  readonly store: Pick<ObjectStore, 'get' | 'list'>
  readonly locate: LocateNode
  readonly room: StreamRoom
  readonly clock: Clock
  readonly random: Pick<Random, 'next'>
}

export type StreamRequest = AskedResource
