import type { Random } from '../../../platform/time/index.ts'
import type { StreamPorts } from '../../serving/streams/stream-ports.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** What goes through the API to a node, or to what runs there, needs this. */
export interface ApiStreamPorts extends StreamPorts {
  readonly store: Pick<ObjectStore, 'get' | 'list'>
  readonly random: Pick<Random, 'next'>
}
