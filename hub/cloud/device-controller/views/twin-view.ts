import {
  type Conflict,
  type Device,
  type DeviceStatus,
  isConflict,
  type StatusConflict,
  type StatusTwin,
  type StatusTwinValue,
  type TwinSync,
  type TwinSyncProperty,
  type TwinSyncPropertyExtra,
} from '../../../../schemas/index.ts'
import { isRecord, textsOf } from '../../kubernetes/guards.ts'

/** What the cloud knows of one property: KubeEdge's twin, and what only Skerry edges tell. */
export interface PropertyView {
  readonly reported?: StatusTwinValue
  readonly observedDesired?: StatusTwinValue
  /** Why it could never be read. */
  readonly unread?: string
  /** Newest last; the one that stands, if any, is the last one. */
  readonly conflicts?: readonly StatusConflict[]
}

export type TwinView = ReadonlyMap<string, PropertyView>

/** Keys in the metadata of the twins on Device that DeviceStatus does not get. */
export const EXTRA = {
  quality: 'quality',
  cause: 'cause',
  sourceTime: 'sourceTime',
  timeToLive: 'timeToLive',
  stale: 'stale',
  staleSince: 'staleSince',
  generation: 'generation',
  origin: 'origin',
  author: 'author',
  edge: 'edge',
  failureValue: 'failureValue',
  failureReason: 'failureReason',
  failureMessage: 'failureMessage',
} as const

/**
 * What was known before this process: the twins on Device hold everything, but of values those on DeviceStatus may be later,
 * which is written first.
 */
export function viewOfStatus(device: Device, status: DeviceStatus | undefined): TwinView {
  const view = new Map<string, PropertyView>()
  for (const conflict of readConflicts(device)) {
    const { conflicts = [] } = view.get(conflict.propertyName) ?? {}
    view.set(conflict.propertyName, { conflicts: [...conflicts, conflict] })
  }
  const later = twinsIn(status?.status?.twins)
  const known = device.status?.twins === undefined ? later : twinsIn(device.status.twins)
  for (const [name, { reported, observedDesired }] of known) {
    const value = reported && laterValue(reported, later.get(name)?.reported)
    view.set(name, {
      ...view.get(name),
      ...(value ? { reported: value } : {}),
      ...(observedDesired ? { observedDesired } : {}),
    })
  }
  return view
}

/** The Device has yet to show what is known of the desired values beside what its DeviceStatus can say. */
export function isMirrorBehind(device: Device, status: DeviceStatus | undefined): boolean {
  const shown = twinsIn(device.status?.twins)
  return [...twinsIn(status?.status?.twins)].some(
    ([name, { observedDesired }]) => observedDesired && !isSameWish(shown.get(name)?.observedDesired, observedDesired),
  )
}

function isSameWish(a: StatusTwinValue | undefined, b: StatusTwinValue): boolean {
  return a?.value === b.value && a.metadata?.['timestamp'] === b.metadata?.['timestamp']
}

/** The status of a Device keeps what others wrote: nothing about its form is certain. */
function twinsIn(twins: unknown): ReadonlyMap<string, Pick<PropertyView, 'reported' | 'observedDesired'>> {
  const found = new Map<string, Pick<PropertyView, 'reported' | 'observedDesired'>>()
  for (const twin of Array.isArray(twins) ? twins : []) {
    if (!isRecord(twin) || typeof twin['propertyName'] !== 'string') continue
    const reported = readValue(twin['reported'])
    const observedDesired = readValue(twin['observedDesired'])
    if (!reported && !observedDesired) continue
    found.set(twin['propertyName'], {
      ...(reported ? { reported } : {}),
      ...(observedDesired ? { observedDesired } : {}),
    })
  }
  return found
}

/** With what else is known of it, except when it was measured. */
function laterValue(known: StatusTwinValue, later: StatusTwinValue | undefined): StatusTwinValue {
  if (!later) return known
  const { timestamp, type } = later.metadata ?? {}
  if (later.value === known.value && timestamp === known.metadata?.['timestamp']) return known
  const { [EXTRA.sourceTime]: _old, ...metadata } = known.metadata ?? {}
  return {
    value: later.value,
    metadata: {
      ...metadata,
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(type === undefined ? {} : { type }),
    },
  }
}

function readValue(side: unknown): StatusTwinValue | undefined {
  if (!isRecord(side) || typeof side['value'] !== 'string') return undefined
  return { value: side['value'], ...(isRecord(side['metadata']) ? { metadata: textsOf(side['metadata']) } : {}) }
}

/** Conflicts that the API has on record. */
export function readConflicts(device: Device): readonly StatusConflict[] {
  const list: unknown = device.status?.conflicts
  return (Array.isArray(list) ? list : []).filter(isStatusConflict)
}

function isStatusConflict(value: unknown): value is StatusConflict {
  return isConflict(value) && typeof Reflect.get(value, 'propertyName') === 'string' && 'standing' in value
}

/**
 * Lays a report over the view. Sides that the report leaves out stay, but a Skerry edge tells all that is desired. The
 * generation that the edge has adopted holds for all.
 */
export function applySync(view: TwinView, sync: TwinSync): TwinView {
  const next = new Map(view)
  for (const [name, property] of Object.entries(sync.twin)) {
    const extras = sync.skerry?.properties ?? {}
    const extra = Object.hasOwn(extras, name) ? extras[name] : undefined
    next.set(name, mergeProperty(next.get(name) ?? {}, property, extra, { name, sync }))
  }
  const generation = sync.skerry?.generation
  if (generation === undefined) return next
  for (const [name, { reported }] of next)
    if (!Object.hasOwn(sync.twin, name)) next.set(name, reported ? { reported } : {})
  for (const [name, known] of next) {
    const { observedDesired } = known
    if (!observedDesired) continue
    const metadata = { ...observedDesired.metadata, [EXTRA.generation]: String(generation) }
    next.set(name, { ...known, observedDesired: { ...observedDesired, metadata } })
  }
  return next
}

/** Twins for `status.twins` of Device (extras included), in the order of the properties in its spec. */
export function twinsForDevice(device: Device, view: TwinView): readonly StatusTwin[] {
  return (device.spec.properties ?? []).flatMap(({ name }) => {
    const { reported, observedDesired } = view.get(name) ?? {}
    if (!reported && !observedDesired) return []
    const sides = { ...(reported ? { reported } : {}), ...(observedDesired ? { observedDesired } : {}) }
    return [{ propertyName: name, ...sides }]
  })
}

/** Conflicts for `status.conflicts` of Device, in the order of the properties in its spec. */
export function conflictsForDevice(device: Device, view: TwinView): readonly StatusConflict[] {
  const all = (device.spec.properties ?? []).flatMap(({ name }) => view.get(name)?.conflicts ?? [])
  // The API denies two with one id, whatever an edge says.
  return [...new Map(all.map((conflict) => [conflict.id, conflict])).values()]
}

/** The same as KubeEdge writes them: metadata holds timestamp and type alone. */
export function twinsForStatus(device: Device, view: TwinView): readonly StatusTwin[] {
  return twinsForDevice(device, view).map(({ propertyName, reported, observedDesired }) => ({
    propertyName,
    ...(reported ? { reported: plain(reported) } : {}),
    ...(observedDesired ? { observedDesired: plain(observedDesired) } : {}),
  }))
}

function mergeProperty(
  known: PropertyView,
  property: TwinSyncProperty,
  extra: TwinSyncPropertyExtra | undefined,
  { name, sync }: { readonly name: string; readonly sync: TwinSync },
): PropertyView {
  const type = property.metadata?.type ?? 'string'
  const { actual, expected } = property
  const stamp = (timestamp: number | undefined) => ({ timestamp: String(timestamp ?? sync.timestamp), type })
  const reported = actual
    ? { value: actual.value, metadata: { ...stamp(actual.metadata?.timestamp), ...readingExtras(extra) } }
    : sync.skerry
      ? undefined
      : known.reported
  const unread = !actual && extra?.quality === 'bad' ? (extra.cause ?? 'no cause was given') : undefined
  const observedDesired = expected
    ? { value: expected.value, metadata: { ...stamp(expected.metadata?.timestamp), ...desiredExtras(property, extra) } }
    : sync.skerry
      ? undefined
      : known.observedDesired
  const conflicts = extra ? conflictsIn(name, extra) : []
  return {
    ...(reported ? { reported } : {}),
    ...(observedDesired ? { observedDesired } : {}),
    ...(unread === undefined ? {} : { unread }),
    ...(conflicts.length === 0 ? {} : { conflicts }),
  }
}

function conflictsIn(propertyName: string, { conflict, pastConflicts = [] }: TwinSyncPropertyExtra) {
  const told = (each: Conflict, standing: boolean): StatusConflict => ({ propertyName, standing, ...each })
  return [...pastConflicts.map((each) => told(each, false)), ...(conflict ? [told(conflict, true)] : [])]
}

function readingExtras(extra: TwinSyncPropertyExtra | undefined): Readonly<Record<string, string>> {
  if (!extra) return {}
  return {
    ...(extra.quality && extra.quality !== 'good' ? { [EXTRA.quality]: extra.quality } : {}),
    ...(extra.cause ? { [EXTRA.cause]: extra.cause } : {}),
    ...(extra.sourceTime === undefined ? {} : { [EXTRA.sourceTime]: String(extra.sourceTime) }),
    ...(extra.timeToLive === undefined ? {} : { [EXTRA.timeToLive]: String(extra.timeToLive) }),
    ...(extra.stale ? { [EXTRA.stale]: 'true' } : {}),
    ...(extra.stale && extra.staleSince !== undefined ? { [EXTRA.staleSince]: String(extra.staleSince) } : {}),
  }
}

function desiredExtras(
  { expected_version: version }: TwinSyncProperty,
  extra: TwinSyncPropertyExtra | undefined,
): Readonly<Record<string, string>> {
  if (!extra) return {}
  return {
    ...(extra.origin ? { [EXTRA.origin]: extra.origin } : {}),
    ...(extra.author ? { [EXTRA.author]: extra.author } : {}),
    ...(version && extra.origin === 'edge' ? { [EXTRA.edge]: String(version.edge) } : {}),
    ...(extra.failure
      ? {
          [EXTRA.failureValue]: extra.failure.value,
          [EXTRA.failureReason]: extra.failure.reason,
          [EXTRA.failureMessage]: extra.failure.message,
        }
      : {}),
  }
}

function plain({ value, metadata }: StatusTwinValue): StatusTwinValue {
  const { timestamp, type } = metadata ?? {}
  return {
    value,
    metadata: { ...(timestamp === undefined ? {} : { timestamp }), ...(type === undefined ? {} : { type }) },
  }
}
