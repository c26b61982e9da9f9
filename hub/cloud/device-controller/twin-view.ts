import type {
  Device,
  DeviceStatus,
  StatusTwin,
  StatusTwinValue,
  TwinSync,
  TwinSyncProperty,
  TwinSyncPropertyExtra,
} from '../../../schemas/index.ts'
import { isRecord, textsOf } from '../kubernetes/guards.ts'

/** What the cloud knows of one property: KubeEdge's twin, and what only Skerry edges tell. */
export interface PropertyView {
  readonly reported?: StatusTwinValue
  readonly observedDesired?: StatusTwinValue
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
  failureValue: 'failureValue',
  failureReason: 'failureReason',
  failureMessage: 'failureMessage',
} as const

/** What was known before this process: the twins on Device hold everything, those on DeviceStatus what KubeEdge has. */
export function viewOfStatus(device: Device, status: DeviceStatus | undefined): TwinView {
  const twins: unknown = device.status?.twins ?? status?.status?.twins
  const view = new Map<string, PropertyView>()
  // The status of a Device keeps what others wrote: nothing about its form is certain.
  for (const twin of Array.isArray(twins) ? twins : []) {
    if (!isRecord(twin) || typeof twin['propertyName'] !== 'string') continue
    const reported = readValue(twin['reported'])
    const observedDesired = readValue(twin['observedDesired'])
    if (!reported && !observedDesired) continue
    view.set(twin['propertyName'], {
      ...(reported ? { reported } : {}),
      ...(observedDesired ? { observedDesired } : {}),
    })
  }
  return view
}

function readValue(side: unknown): StatusTwinValue | undefined {
  if (!isRecord(side) || typeof side['value'] !== 'string') return undefined
  return { value: side['value'], ...(isRecord(side['metadata']) ? { metadata: textsOf(side['metadata']) } : {}) }
}

/** Lays a report over the view. Sides that the report leaves out stay; the generation that the edge has adopted holds for all. */
export function applySync(view: TwinView, sync: TwinSync): TwinView {
  const next = new Map(view)
  for (const [name, property] of Object.entries(sync.twin)) {
    const extra = sync.skerry?.properties[name]
    next.set(name, mergeProperty(next.get(name) ?? {}, property, extra, sync))
  }
  const generation = sync.skerry?.generation
  if (generation === undefined) return next
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
    const property = view.get(name)
    return property ? [{ propertyName: name, ...property }] : []
  })
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
  sync: TwinSync,
): PropertyView {
  const type = property.metadata?.type ?? 'string'
  const { actual, expected } = property
  const stamp = (timestamp: number | undefined) => ({ timestamp: String(timestamp ?? sync.timestamp), type })
  const reported = actual
    ? { value: actual.value, metadata: { ...stamp(actual.metadata?.timestamp), ...readingExtras(extra) } }
    : known.reported
  const observedDesired = expected
    ? { value: expected.value, metadata: { ...stamp(expected.metadata?.timestamp), ...desiredExtras(extra) } }
    : known.observedDesired
  return { ...(reported ? { reported } : {}), ...(observedDesired ? { observedDesired } : {}) }
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

function desiredExtras(extra: TwinSyncPropertyExtra | undefined): Readonly<Record<string, string>> {
  if (!extra) return {}
  return {
    ...(extra.origin ? { [EXTRA.origin]: extra.origin } : {}),
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
