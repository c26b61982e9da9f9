import type { Conflict } from '../device/index.ts'
import type { Quality, Version } from '../twin/index.ts'

/** Content of `device/<ns>/<name>/twin/edge_updated` (edge to cloud): KubeEdge's fields, and Skerry's under `skerry`. */
export interface TwinSync {
  readonly event_id: string
  /** Unix ms. */
  readonly timestamp: number
  readonly twin: Readonly<Record<string, TwinSyncProperty>>
  /** Only between Skerry peers (SKERRY_HEADER). */
  readonly skerry?: TwinSyncExtra
}

export interface TwinSyncProperty {
  readonly expected?: TwinSyncValue
  readonly actual?: TwinSyncValue
  readonly optional?: boolean
  readonly metadata?: { readonly type?: string }
  readonly expected_version?: Version
  readonly actual_version?: Version
}

export interface TwinSyncValue {
  readonly value: string
  readonly metadata?: { readonly timestamp?: number }
}

export interface TwinSyncExtra {
  /** metadata.uid and generation of the Device that the edge had adopted when it sent this. */
  readonly uid: string
  readonly generation: number
  /** Revision of the twin: the cloud ignores an older one of the same uid and store epoch. */
  readonly revision: number
  /** Of the device's link in this revision: what a state message says of it that was overtaken, or came from another node, goes. */
  readonly state?: { readonly state: string; readonly reason?: string; readonly code?: string }
  readonly properties: Readonly<Record<string, TwinSyncPropertyExtra>>
  /** Why the edge cannot drive the device as it is configured, or, with `warning`, not quite so. */
  readonly refusals?: readonly { readonly pointer: string; readonly message: string; readonly warning?: boolean }[]
}

export interface TwinSyncPropertyExtra {
  readonly quality?: Quality
  readonly cause?: string
  /** Unix ms. */
  readonly sourceTime?: number
  /** ms; the edge watches over the age of this property. */
  readonly timeToLive?: number
  readonly stale?: boolean
  /** Unix ms. */
  readonly staleSince?: number
  readonly origin?: 'cloud' | 'edge'
  /** Who wrote the desired value. */
  readonly author?: string
  readonly conflict?: Conflict
  /** Conflicts that are over, the newest last. */
  readonly pastConflicts?: readonly Conflict[]
  readonly failure?: { readonly value: string; readonly reason: string; readonly message: string }
}

/** Content of `device/<ns>/<name>/state/update` (edge to cloud); travels as a JSON string, both forms are accepted. */
export interface StateSync {
  readonly event_id: string
  readonly timestamp: number
  readonly device: { readonly name: string; readonly state: string; readonly lastOnlineTime?: string }
  /** Only between Skerry peers. `uid` and `revision` are those of the twin that has this state. */
  readonly skerry?: {
    readonly uid?: string
    readonly revision?: number
    readonly reason?: string
    readonly code?: string
  }
}

/** Content of the `membership` update (cloud to edge, group twin). The unused list is null, not []. */
export interface MembershipUpdate {
  readonly event_id: string
  readonly timestamp: number
  readonly added_devices: readonly MembershipDevice[] | null
  readonly removed_devices: readonly MembershipDevice[] | null
}
export interface MembershipDevice {
  readonly id: string
  readonly name: string
  readonly description?: string
}
