import type { Condition, StatusConflict, StatusIntent, StatusTwin } from '../../../schemas/index.ts'

/** What the two objects of one device should say. Absent fields are left as they are. */
export interface WantedStatus {
  readonly conditions: readonly Condition[]
  /** On Device; `unknown` while its node is away. */
  readonly state?: string
  /** On DeviceStatus: what the edge said last. */
  readonly reportedState?: string
  readonly lastOnlineTime?: string
  /** With extras, on Device; undefined when nothing was ever reported. */
  readonly deviceTwins?: readonly StatusTwin[]
  readonly statusTwins?: readonly StatusTwin[]
  readonly intents: readonly StatusIntent[]
  readonly conflicts: readonly StatusConflict[]
  /** On DeviceStatus: how far the edge's telling has come, see `EdgeRecord`. */
  readonly record?: string
}
