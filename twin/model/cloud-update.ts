import type {
  CloudTwinChange,
  CloudTwinUpdate,
  CloudTwinValue,
  Twin,
  TwinProperty,
  Version,
} from '../../schemas/index.ts'
import { isTwinName } from '../../schemas/index.ts'
import { withoutConflict } from './conflict.ts'
import { freeType, propertyOf, refuseValue, refuseWish, settled, withoutFailure, withProperties } from './property.ts'
import { refuseExcess, refuseText, type TwinLimits } from './update.ts'

export interface CloudUpdated {
  readonly twin: Twin
  /** Properties that the edge knows better, by their versions. */
  readonly stale: readonly string[]
  /** Why some were not taken, the first of them. */
  readonly refusal?: string
}

/**
 * A cloud's `twin/cloud_updated`. Each property is judged for itself: it is taken when its versions are at least those of the
 * edge in both counters, for each side that is given, and then has exactly those versions. The same twin when nothing changes.
 */
export function applyCloudUpdate(twin: Twin, update: CloudTwinUpdate, limits: TwinLimits, now: number): CloudUpdated {
  const changed = new Map<string, TwinProperty | undefined>()
  const stale: string[] = []
  const refusals: string[] = []
  for (const [name, change] of update.twin) {
    const before = propertyOf(twin, name)
    const verdict = before || !change.isDeleted ? judge(name, before, change, limits, now) : undefined
    if (!verdict) continue
    if (verdict.kind === 'stale') stale.push(name)
    else if (verdict.kind === 'refused') refusals.push(`${name.slice(0, 128)}: ${verdict.reason}`)
    else if (verdict.property !== before) changed.set(name, verdict.property)
  }
  const next = withProperties(twin, changed)
  const excess = next === twin ? undefined : refuseExcess(next, changed, limits)
  const refusal = excess ?? refusals[0]
  return { twin: excess === undefined ? next : twin, stale, ...(refusal === undefined ? {} : { refusal }) }
}

type Verdict =
  | { readonly kind: 'taken'; readonly property: TwinProperty | undefined }
  | { readonly kind: 'stale' }
  | { readonly kind: 'refused'; readonly reason: string }

function judge(
  name: string,
  before: TwinProperty | undefined,
  change: CloudTwinChange,
  limits: TwinLimits,
  now: number,
): Verdict {
  const { expected, actual, optional, isDeleted } = change
  if (isOlder(expected, before?.desired?.version) || isOlder(actual, before?.reported?.version))
    return { kind: 'stale' }
  if (isDeleted) {
    if (before?.declared) return { kind: 'refused', reason: 'the Device declares it' }
    return { kind: 'taken', property: undefined }
  }
  const base = before ?? fresh(name, change)
  if (!base) return { kind: 'refused', reason: 'not a name or a type of a property' }
  const reason = refusalOf(name, base, change, limits)
  if (reason !== undefined) return { kind: 'refused', reason }
  let property = base
  if (optional === false && property.optional) property = { ...property, optional: false }
  if (actual?.version) property = report(property, actual, actual.version, now)
  if (expected?.version) property = wish(property, expected, expected.version, now)
  return { kind: 'taken', property }
}

function isOlder(given: CloudTwinValue | undefined, known: Version | undefined): boolean {
  const version = given?.version
  return version !== undefined && known !== undefined && (known.cloud > version.cloud || known.edge > version.edge)
}

function fresh(name: string, { type = 'string', optional = true }: CloudTwinChange): TwinProperty | undefined {
  if (!isTwinName(name) || !freeType(type)) return undefined
  return { type, declared: false, optional, writable: true }
}

function refusalOf(
  name: string,
  property: TwinProperty,
  { expected, actual }: CloudTwinChange,
  limits: TwinLimits,
): string | undefined {
  for (const side of [expected, actual]) {
    if (!side) continue
    if (!side.version) return 'a value of the cloud must come with its version'
    const reason = refuseText(side.value, limits)
    if (reason !== undefined) return reason
  }
  // An empty wish is none.
  const wish = expected && expected.value !== '' ? refuseWish(name, property, expected.value) : undefined
  return wish ?? (actual ? refuseValue(property, actual.value) : undefined)
}

function report(property: TwinProperty, { value, timestamp }: CloudTwinValue, version: Version, now: number) {
  const { reported } = property
  if (reported && reported.value === value && reported.quality === 'good' && sameVersion(reported.version, version))
    return property
  return settled({
    ...property,
    reported: { value, timestamp: now, sourceTime: timestamp ?? now, quality: 'good', version },
  })
}

function wish(property: TwinProperty, { value, timestamp }: CloudTwinValue, version: Version, now: number) {
  const { desired } = property
  if (desired && desired.value === value && sameVersion(desired.version, version)) return property
  const at = timestamp ?? now
  return {
    ...withoutFailure(withoutConflict(property)),
    desired: { value, timestamp: at, version, origin: 'cloud' as const },
  }
}

function sameVersion(left: Version, right: Version): boolean {
  return left.cloud === right.cloud && left.edge === right.edge
}
