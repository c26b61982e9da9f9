import type { Clock } from '../../../platform/time/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import type { AskedResource } from '../requests/resource-request.ts'
import type { LocateNode } from './node-place.ts'
import type { StreamRoom } from './stream-room.ts'

/** What goes to a node needs this. */
export interface StreamPorts {
  readonly store: { get(resource: string, key: string): ApiObject | undefined }
  readonly locate: LocateNode
  readonly room: StreamRoom
  readonly clock: Clock
}

export type StreamRequest = AskedResource
