import type { Conflict, DeviceId, DeviceState, PropertyType } from '../device/index.ts'

/** Counter pair that guards sync. Edge counts each accepted local change of that side; cloud is the generation seen. */
export interface Version {
  readonly cloud: number
  readonly edge: number
}

/** good: as read; uncertain: read, but doubted by the driver; bad: could not be read, with a cause. */
export const QUALITIES = ['good', 'uncertain', 'bad'] as const
export type Quality = (typeof QUALITIES)[number]

/** What somebody wants a property to be. */
export interface Desired {
  /** As it was given; two texts mean the same when `sameValue` says so. */
  readonly value: string
  /** Server time of the change, Unix ms. */
  readonly timestamp: number
  readonly version: Version
  /** Who wrote it last: the cloud's spec, or a client of the edge. */
  readonly origin: 'cloud' | 'edge'
  /** Who that was: a field manager of the cloud, `user:<name>` of an MQTT client, or `mqtt:<client>`. */
  readonly author?: string
}

/** What the device said. */
export interface Reported {
  readonly value: string
  /** When the twin took it, Unix ms. A failed reading does not move it. */
  readonly timestamp: number
  /** When the source measured it, Unix ms; equals timestamp where the source has no clock. */
  readonly sourceTime: number
  readonly quality: Quality
  /** Why quality is not good. */
  readonly cause?: string
  /** Its time to live has passed without a reading that confirmed it. The next reading takes this away. */
  readonly stale?: true
  /** When the time to live ended, Unix ms. */
  readonly staleSince?: number
  /** The last confirmation as it was known when this was written to disk, Unix ms; absent: `timestamp`. */
  readonly confirmed?: number
  readonly version: Version
}

/** A property of which no reading has ever succeeded. */
export interface Unread {
  /** Why the last one failed. */
  readonly cause: string
  /** Unix ms; since when it fails for this cause. */
  readonly timestamp: number
}

/** The last value of `spec.properties[].desired` that the edge has adopted, and in which generation of the Device. */
export interface Intent {
  readonly value: string
  readonly generation: number
}

/** Why the present desired value is not on the device. Cleared by the next success or the next desired value. */
export interface WriteFailure {
  readonly value: string
  readonly reason: string
  readonly message: string
  readonly timestamp: number
}

export interface TwinProperty {
  /** Twin type on MQTT: the model's type in lower case, or what an unmodelled client gave (default `string`). */
  readonly type: string
  /** The model's type; absent for a property that no model declares. */
  readonly modelType?: PropertyType
  /** The model's unit. */
  readonly unit?: string
  /** The model's bounds of desired values, as texts. */
  readonly minimum?: string
  readonly maximum?: string
  /** Stands in the spec of the Device; otherwise a client of the edge made it. */
  readonly declared: boolean
  /** False for properties of the Device: a client cannot delete those. */
  readonly optional: boolean
  /** A desired value is accepted. */
  readonly writable: boolean
  /** ms without a confirmation after which the reported value is stale; absent: never. */
  readonly timeToLive?: number
  readonly desired?: Desired
  readonly reported?: Reported
  /** Never together with `reported`. */
  readonly unread?: Unread
  readonly intent?: Intent
  readonly failure?: WriteFailure
  /** The conflict that stands: neither side has wished for anything since. */
  readonly conflict?: Conflict
  /** Conflicts that are over, the newest last; a few are kept, so that the cloud hears of those that it did not see stand. */
  readonly pastConflicts?: readonly Conflict[]
}

/** What is known of a device beside its properties, and hardly ever changes. */
export interface Attribute {
  readonly value: string
  /** False: clients of an original edge could not delete it. */
  readonly optional: boolean
  readonly type: string
  /** `label`: a label of the Device; `cloud`: a cloud said it by itself. */
  readonly origin: 'label' | 'cloud'
}

/** Desired and reported of one device, whole. Replaced, never edited. */
export interface Twin {
  readonly id: DeviceId
  /** uid of the Device object, so that a device deleted and made again starts anew. */
  readonly uid: string
  readonly description: string
  /** metadata.generation of the Device last adopted. */
  readonly generation: number
  readonly state: DeviceState
  /** Detail of a state that is not online. */
  readonly stateReason?: string
  /** The detail as one word for programs, see StateCode. */
  readonly stateCode?: string
  /** As a client wrote the state, where that differs from its lower case. */
  readonly stateText?: string
  /** RFC 3339 UTC, whole seconds; when the device was last known to be online. */
  readonly lastOnlineTime?: string
  readonly properties: Readonly<Record<string, TwinProperty>>
  /** Absent: none. */
  readonly attributes?: Readonly<Record<string, Attribute>>
  /** Grows by one with each durable change of this twin; survives restarts. */
  readonly revision: number
}
