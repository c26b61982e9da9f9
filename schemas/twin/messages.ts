/** JSON of the twin topics on MQTT, field by field as KubeEdge writes it. Versions never travel to MQTT clients. */

/** `twin` of twin/update, get/result and the like. */
export interface MsgTwin {
  readonly expected?: MsgTwinValue
  readonly actual?: MsgActual
  readonly optional?: boolean
  readonly metadata?: {
    readonly type: string
    /** Where the property was never read with success, with the cause. */
    readonly quality?: 'bad'
    readonly cause?: string
  }
}

export interface MsgTwinValue {
  readonly value: string
  /** Unix ms. */
  readonly metadata?: { readonly timestamp: number }
}

/** KubeEdge's metadata is the timestamp alone; what Skerry adds is there only where it says something. */
export interface MsgActual {
  readonly value: string
  readonly metadata?: {
    /** Unix ms; when the twin took the value. */
    readonly timestamp: number
    /** Unix ms; where it differs from timestamp. */
    readonly sourceTime?: number
    /** Where it is not good. */
    readonly quality?: 'uncertain' | 'bad'
    readonly cause?: string
    readonly stale?: true
    /** Unix ms. */
    readonly staleSince?: number
  }
}

/** Common to all messages. `event_id` is echoed in results and documents, and new in what the edge says by itself. */
export interface MsgHead {
  readonly event_id: string
  /** Unix ms. */
  readonly timestamp: number
}

/** Answer on .../result when a request failed: 400, 404 or 500. */
export interface MsgError extends MsgHead {
  readonly code: number
  readonly reason: string
}

/** .../twin/update/result and .../twin/get/result. Null: deleted. */
export interface MsgTwinResult extends MsgHead {
  readonly twin: Readonly<Record<string, MsgTwin | null>>
}

/** .../twin/update/delta: all properties with a desired value, and the desired value of those that differ. */
export interface MsgTwinDelta extends MsgHead {
  readonly twin: Readonly<Record<string, MsgTwin>>
  readonly delta: Readonly<Record<string, string>>
}

/** .../twin/update/document: what changed. `last` is null for a new property, `current` for a deleted one. */
export interface MsgTwinDocument extends MsgHead {
  readonly twin: Readonly<Record<string, { readonly last: MsgTwin | null; readonly current: MsgTwin | null }>>
}

/** .../state/update/result and .../state/get/result. `name` has no namespace; the time is there for online and ok only. */
export interface MsgDeviceState extends MsgHead {
  readonly device: { readonly name: string; readonly state: string; readonly lastOnlineTime?: string }
}

export interface MsgMember {
  /** `<namespace>/<name>` */
  readonly id: string
  readonly name: string
  readonly description?: string
  readonly state?: string
  readonly last_online?: string
  readonly attributes?: Readonly<Record<string, MsgAttribute>>
}

export interface MsgAttribute {
  readonly value: string
  readonly optional?: boolean
  readonly metadata?: { readonly type: string }
}

/** .../updated: the attributes that changed. Null: gone. */
export interface MsgAttributes extends MsgHead {
  readonly attributes: Readonly<Record<string, MsgAttribute | null>>
}

/** .../membership/get/result */
export interface MsgMembership extends MsgHead {
  readonly devices: readonly MsgMember[]
}

/** .../membership/updated, one message per device. The list that is not meant is null, not []. */
export interface MsgMembershipUpdated extends MsgHead {
  readonly added_devices: readonly MsgMember[] | null
  readonly removed_devices: readonly MsgMember[] | null
}
