import type {
  ConfirmedDevice,
  DeviceRefusal,
  FrameRoute,
  Json,
  StateSync,
  Twin,
  TwinProperty,
  TwinSync,
  TwinSyncExtra,
  TwinSyncProperty,
  TwinSyncPropertyExtra,
} from '../../../schemas/index.ts'
import { GROUPS, MODULES, OPERATIONS, refusalsDigest, splitDeviceId } from '../../../schemas/index.ts'
import type { Mark } from './confirmed-marks.ts'

/** Why a device cannot be driven as it is configured. */
export interface Refusal {
  /** JSON pointer into the Device. */
  readonly pointer: string
  readonly message: string
  /** It is driven all the same. */
  readonly warning?: true
}

/** So many travel, refusals first: a condition shows no more. */
const MOST_REFUSALS = 20
const LONGEST_REFUSAL = 1000

/** What mappers say of a device, as it travels. */
export function refusalsOf(said: readonly DeviceRefusal[]): readonly Refusal[] {
  return [...said]
    .sort((a, b) => Number(a.warning ?? false) - Number(b.warning ?? false))
    .slice(0, MOST_REFUSALS)
    .map(({ pointer, message, warning }) => ({
      ...{ pointer, message: message.slice(0, LONGEST_REFUSAL) },
      ...(warning ? { warning } : {}),
    }))
}

export interface Stamp {
  readonly eventId: string
  /** Unix ms. */
  readonly now: number
}

/** The whole twin as the cloud gets it: KubeEdge's fields, and Skerry's where the other end understands them. Pure. */
export function twinSync(twin: Twin, refusals: readonly Refusal[], isSkerry: boolean, stamp: Stamp): TwinSync {
  const properties = Object.entries(twin.properties)
  return {
    event_id: stamp.eventId,
    timestamp: stamp.now,
    twin: Object.fromEntries(properties.map(([name, property]) => [name, syncProperty(property)])),
    ...(isSkerry ? { skerry: syncExtra(twin, refusals, stamp) } : {}),
  }
}

/** The state of the device's link as the cloud gets it. Pure. */
export function stateSync(twin: Twin, isSkerry: boolean, stamp: Stamp): StateSync {
  return {
    event_id: stamp.eventId,
    timestamp: stamp.now,
    device: {
      name: splitDeviceId(twin.id).name,
      state: twin.stateText ?? twin.state,
      ...(twin.lastOnlineTime === undefined ? {} : { lastOnlineTime: twin.lastOnlineTime }),
    },
    ...(isSkerry ? { skerry: stateExtra(twin) } : {}),
  }
}

/** Equal for two twins exactly when a receipt for the one holds for the other. Begins with the uid. */
export function twinMark(twin: Twin, isSkerry: boolean): string {
  return `${twin.uid}:${twin.revision}:${isSkerry ? 'skerry' : 'kubeedge'}`
}

/** Without lastOnlineTime: that it goes on is no change of state. */
export function stateMark(twin: Twin, isSkerry: boolean): string {
  const { uid, stateText, state, stateReason = '', stateCode } = twin
  const code = stateCode === undefined ? [] : [stateCode]
  return JSON.stringify([uid, stateText ?? state, isSkerry ? stateReason : null, ...(isSkerry ? code : [])])
}

/** What the marks of a device say as the cloud can compare it; nothing where they say nothing that a Skerry cloud confirmed. */
export function confirmedDevice(id: string, mark: Mark): ConfirmedDevice | undefined {
  const [, uid, revision] = /^(.*):(\d+):skerry$/s.exec(mark.twin) ?? []
  const stateUid = uidIn(mark.state)
  const known = uid ?? stateUid
  if (known === undefined) return undefined
  return {
    ...{ id, uid: known, twin: uid === undefined ? 0 : Number(revision) },
    state: stateUid === known ? mark.stateRevision : 0,
    refusals: refusalsDigest(parseRefusals(mark.refusals)),
  }
}

/** Of a mark of a state. */
function uidIn(mark: string): string | undefined {
  const [, text] = /^\[("(?:[^"\\]|\\.)*")/.exec(mark) ?? []
  const uid: unknown = text === undefined ? undefined : JSON.parse(text)
  return typeof uid === 'string' ? uid : undefined
}

function stateExtra(twin: Twin): NonNullable<StateSync['skerry']> {
  return { uid: twin.uid, revision: twin.revision, ...whyOf(twin) }
}

function whyOf({ stateReason, stateCode }: Twin) {
  return {
    ...(stateReason === undefined ? {} : { reason: stateReason }),
    ...(stateCode === undefined ? {} : { code: stateCode }),
  }
}

/** From the text of a mark. */
export function parseRefusals(text: string): readonly Refusal[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // An unreadable mark is as good as none.
    return []
  }
  return Array.isArray(value) ? value.filter(isRefusal) : []
}

export function twinRoute(id: string): FrameRoute {
  return route(`device/${id}/twin/edge_updated`)
}

export function stateRoute(id: string): FrameRoute {
  return route(`device/${id}/state/update`)
}

/** Plain JSON of a message declared in schemas: fields that are undefined are left out. */
export function toJson(message: TwinSync | StateSync): Json {
  return JSON.parse(JSON.stringify(message))
}

function route(resource: string): FrameRoute {
  return { source: MODULES.twin, group: GROUPS.resource, operation: OPERATIONS.update, resource }
}

function syncProperty({ type, optional, desired, reported }: TwinProperty): TwinSyncProperty {
  return {
    optional,
    metadata: { type },
    ...(desired === undefined
      ? {}
      : {
          expected: { value: desired.value, metadata: { timestamp: desired.timestamp } },
          expected_version: desired.version,
        }),
    ...(reported === undefined
      ? {}
      : {
          actual: { value: reported.value, metadata: { timestamp: reported.timestamp } },
          actual_version: reported.version,
        }),
  }
}

function syncExtra(twin: Twin, refusals: readonly Refusal[], stamp: Stamp): TwinSyncExtra {
  const properties = Object.entries(twin.properties)
  return {
    uid: twin.uid,
    generation: twin.generation,
    revision: twin.revision,
    state: { state: twin.stateText ?? twin.state, ...whyOf(twin) },
    properties: Object.fromEntries(properties.map(([name, property]) => [name, propertyExtra(property, stamp)])),
    ...(refusals.length === 0 ? {} : { refusals }),
  }
}

function propertyExtra(property: TwinProperty, { now }: Stamp): TwinSyncPropertyExtra {
  const { timeToLive, desired, reported, unread, failure, conflict, pastConflicts } = property
  return {
    ...(reported === undefined ? {} : { quality: reported.quality, sourceTime: reported.sourceTime }),
    ...(reported?.cause === undefined ? {} : { cause: reported.cause }),
    ...(reported || !unread ? {} : { quality: 'bad', cause: unread.cause }),
    ...(timeToLive === undefined ? {} : { timeToLive }),
    ...(reported?.stale ? { stale: true, staleSince: reported.staleSince ?? now } : {}),
    ...(desired === undefined ? {} : { origin: desired.origin }),
    ...(desired?.author === undefined ? {} : { author: desired.author }),
    ...(conflict === undefined ? {} : { conflict }),
    ...(pastConflicts === undefined ? {} : { pastConflicts }),
    ...(failure === undefined
      ? {}
      : { failure: { value: failure.value, reason: failure.reason, message: failure.message } }),
  }
}

function isRefusal(value: unknown): value is Refusal {
  if (typeof value !== 'object' || value === null || !('pointer' in value) || !('message' in value)) return false
  return typeof value.pointer === 'string' && typeof value.message === 'string'
}
