import { type Fields, fieldOf, isObject } from './fields.ts'
import type { Version } from './twin.ts'

/** What a cloud says of one device by itself, decoded. The spec of a Device is another way, see AssignedDevice. */
export type CloudUpdate = CloudTwinUpdate | CloudAttributeUpdate

/** `device/<ns>/<name>/twin/cloud_updated` */
export interface CloudTwinUpdate {
  readonly kind: 'twin'
  /** `<namespace>/<name>` */
  readonly id: string
  readonly eventId: string
  readonly twin: ReadonlyMap<string, CloudTwinChange>
}

/** Each side comes with its versions, without which it is refused. */
export interface CloudTwinChange {
  readonly isDeleted: boolean
  readonly expected?: CloudTwinValue
  readonly actual?: CloudTwinValue
  readonly optional?: boolean
  readonly type?: string
}

export interface CloudTwinValue {
  readonly value: string
  /** Unix ms. */
  readonly timestamp?: number
  readonly version?: Version
}

/** `device/<ns>/<name>/updated` */
export interface CloudAttributeUpdate {
  readonly kind: 'attributes'
  readonly id: string
  readonly eventId: string
  /** Null: gone. */
  readonly attributes: ReadonlyMap<
    string,
    { readonly value: string; readonly optional?: boolean; readonly type?: string } | null
  >
}

export type DecodedCloudUpdate =
  | { readonly ok: true; readonly update: CloudUpdate }
  | { readonly ok: false; readonly reason: string }

/** Content of a `twin/cloud_updated`. Keys match in any case, as KubeEdge's decoder takes them. */
export function decodeCloudTwin(id: string, content: unknown): DecodedCloudUpdate {
  const fields = isObject(content) ? fieldOf(content, 'twin') : undefined
  if (!isObject(content) || !isObject(fields)) return refused('twin is missing or is not an object')
  const twin = new Map<string, CloudTwinChange>()
  for (const [name, change] of Object.entries(fields)) {
    if (!isObject(change)) return refused(`twin ${name} is not an object`)
    const expected = sideOf(change, 'expected')
    const actual = sideOf(change, 'actual')
    if (expected === 'bad' || actual === 'bad') return refused(`twin ${name} has no value, or one that is not a string`)
    const metadata = fieldOf(change, 'metadata')
    const type = isObject(metadata) ? textOf(metadata, 'type') : undefined
    const optional = fieldOf(change, 'optional')
    twin.set(name, {
      isDeleted: type === 'deleted',
      ...(expected ? { expected } : {}),
      ...(actual ? { actual } : {}),
      ...(typeof optional === 'boolean' ? { optional } : {}),
      ...(type ? { type } : {}),
    })
  }
  return { ok: true, update: { kind: 'twin', id, eventId: textOf(content, 'event_id') ?? '', twin } }
}

/** Content of an `updated`. */
export function decodeCloudAttributes(id: string, content: unknown): DecodedCloudUpdate {
  const fields = isObject(content) ? fieldOf(content, 'attributes') : undefined
  if (!isObject(content) || !isObject(fields)) return refused('attributes is missing or is not an object')
  const attributes = new Map<string, { value: string; optional?: boolean; type?: string } | null>()
  for (const [name, attribute] of Object.entries(fields)) {
    if (attribute === null) {
      attributes.set(name, null)
      continue
    }
    const value = isObject(attribute) ? textOf(attribute, 'value') : undefined
    if (!isObject(attribute) || value === undefined) return refused(`attribute ${name} has no value`)
    const metadata = fieldOf(attribute, 'metadata')
    const type = isObject(metadata) ? textOf(metadata, 'type') : undefined
    const optional = fieldOf(attribute, 'optional')
    attributes.set(name, {
      value,
      ...(typeof optional === 'boolean' ? { optional } : {}),
      ...(type ? { type } : {}),
    })
  }
  return { ok: true, update: { kind: 'attributes', id, eventId: textOf(content, 'event_id') ?? '', attributes } }
}

function refused(reason: string): DecodedCloudUpdate {
  return { ok: false, reason }
}

/** Go clouds write a side that they do not mean as null or leave it out. */
function sideOf(change: Fields, side: 'expected' | 'actual'): CloudTwinValue | 'bad' | undefined {
  const given = fieldOf(change, side) ?? undefined
  if (given === undefined) return undefined
  if (!isObject(given)) return 'bad'
  const value = fieldOf(given, 'value')
  if (typeof value !== 'string') return 'bad'
  const metadata = fieldOf(given, 'metadata')
  const timestamp = isObject(metadata) ? countOf(metadata, 'timestamp') : undefined
  const version = versionOf(fieldOf(change, `${side}_version`))
  return { value, ...(timestamp ? { timestamp } : {}), ...(version ? { version } : {}) }
}

function versionOf(given: unknown): Version | undefined {
  if (!isObject(given)) return undefined
  const cloud = countOf(given, 'cloud') ?? 0
  const edge = countOf(given, 'edge') ?? 0
  return { cloud, edge }
}

function countOf(fields: Fields, name: string): number | undefined {
  const value = fieldOf(fields, name)
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fieldOf(fields, name)
  return typeof value === 'string' ? value : undefined
}
