import type {
  CloudIntents,
  Condition,
  Device,
  DeviceModel,
  StatusConflict,
  StatusIntent,
  StatusTwin,
} from '../../../../schemas/index.ts'
import { conditionNamed, conditionsOf } from '../conditions/conditions.ts'
import { statusIntents } from '../intents/intents.ts'
import type { DeviceView } from '../views/device-view.ts'
import { recordText } from '../views/edge-record.ts'
import { conflictsForDevice, twinsForDevice, twinsForStatus } from '../views/twin-view.ts'

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

export interface WantedOf {
  readonly device: Device
  readonly model: DeviceModel | undefined
  readonly intents: CloudIntents
  readonly view: DeviceView
  /** See ConditionInput. */
  readonly nodeKnown: boolean
  readonly away: boolean
  /** Conflicts of it have yet to be told. */
  readonly isUntold: boolean
  /** RFC 3339, UTC, whole seconds. */
  readonly now: string
}

/** What is to be said of a device, by what is known of it. Pure. */
export function wantedStatus({ device, model, intents, view, nodeKnown, away, isUntold, now }: WantedOf): WantedStatus {
  const generation = device.metadata.generation ?? 0
  const { refusals, record } = view
  const conditions = conditionsOf({
    ...{ device, model, nodeKnown, away, intents, now },
    state: view.state,
    stateReason: view.stateReason,
    stateCode: view.stateCode,
    view: view.twins,
    refusals: refusals && refusals.generation >= generation ? refusals.list : undefined,
    previous: device.status?.conditions ?? [],
  })
  const text = record && !isUntold ? recordText(record) : undefined
  return {
    conditions,
    intents: statusIntents(intents),
    conflicts: conflictsForDevice(device, view.twins).filter(({ id }) => view.told.has(id)),
    state: isUnreachable({ status: { conditions } }) ? 'unknown' : (view.state ?? 'unknown'),
    ...(view.state === undefined ? {} : { reportedState: view.state }),
    ...(view.lastOnlineTime === undefined ? {} : { lastOnlineTime: view.lastOnlineTime }),
    ...(view.hasReported
      ? { deviceTwins: twinsForDevice(device, view.twins), statusTwins: twinsForStatus(device, view.twins) }
      : {}),
    ...(text === undefined ? {} : { record: text }),
  }
}

/** It stays so until somebody has the session of its node: a start of this process, say, is no news of it. */
export function isUnreachable({ status }: Pick<Device, 'status'>): boolean {
  return conditionNamed(status?.conditions, 'Online')?.reason === 'NodeUnreachable'
}
