import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { type FieldSet, sameSet, union } from './field-set.ts'
import { fromFieldsV1, toFieldsV1 } from './fields-v1.ts'

/** Who changed fields of an object, how and by which version and subresource: one entry of metadata.managedFields. */
export interface Manager {
  readonly name: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  /** Empty for the object itself. */
  readonly subresource: string
  /** RFC 3339; undefined for an applier that changed nothing yet. */
  readonly time: string | undefined
  readonly fields: FieldSet
}

/** The managers of one object by their identity. */
export type Managers = ReadonlyMap<string, Manager>

/** The same applier stays the same when it goes over to another version; an updater does not. */
export function idOf({ name, operation, apiVersion, subresource }: Omit<Manager, 'fields' | 'time'>): string {
  return JSON.stringify([name, operation, operation === 'Apply' ? '' : apiVersion, subresource])
}

export function managersOf(...list: readonly Manager[]): Managers {
  return new Map(list.map((manager) => [idOf(manager), manager]))
}

/** Of objects as they are stored: a write asks for the managers of one several times. */
const decoded = new WeakMap<readonly Json[], Managers>()

/** What metadata.managedFields says; undefined where it says what cannot be. */
export function decodeManagers(value: Json | undefined): Managers | undefined {
  if (value === undefined || value === null) return new Map()
  if (!isJsonArray(value)) return undefined
  const known = decoded.get(value) ?? decodeEntries(value)
  if (known) decoded.set(value, known)
  return known
}

function decodeEntries(entries: readonly Json[]): Managers | undefined {
  const managers = new Map<string, Manager>()
  for (const entry of entries) {
    const manager = decodeEntry(entry)
    if (!manager) return undefined
    managers.set(idOf(manager), manager)
  }
  return managers
}

/** In the order of Kubernetes: appliers first, then by time and name. Undefined for nobody. */
export function encodeManagers(managers: Managers): readonly JsonObject[] | undefined {
  if (managers.size === 0) return undefined
  return [...managers.values()].sort(inOrder).map((manager) => ({
    ...(manager.name === '' ? {} : { manager: manager.name }),
    operation: manager.operation,
    apiVersion: manager.apiVersion,
    ...(manager.time === undefined ? {} : { time: manager.time }),
    fieldsType: 'FieldsV1',
    fieldsV1: toFieldsV1(manager.fields),
    ...(manager.subresource === '' ? {} : { subresource: manager.subresource }),
  }))
}

/** A client asks to forget all managers: an empty list, or one with an empty entry. */
export function isReset(value: Json | undefined): boolean {
  if (!isJsonArray(value)) return false
  const [first] = value
  return value.length === 0 || (value.length === 1 && isJsonObject(first) && Object.keys(first).length === 0)
}

/** The same managers of the same fields, whenever they came by them. */
export function sameButTimes(one: Managers, other: Managers): boolean {
  if (one.size !== other.size) return false
  for (const [id, manager] of one) {
    const there = other.get(id)
    if (!there || there.apiVersion !== manager.apiVersion || !sameSet(there.fields, manager.fields)) return false
  }
  return true
}

const MOST_UPDATERS = 10
const OLD_UPDATES = 'ancient-changes'

/** At most ten updaters: of more, the oldest of each version become one. */
export function capped(managers: Managers): Managers {
  const updaters = [...managers.values()].filter(({ operation }) => operation === 'Update').sort(inOrder)
  if (updaters.length <= MOST_UPDATERS) return managers
  const result = new Map(managers)
  const firsts = new Map<string, Manager>()
  let count = updaters.length
  for (const manager of updaters) {
    if (count <= MOST_UPDATERS) break
    const { apiVersion } = manager
    const first = firsts.get(apiVersion)
    if (!first) {
      firsts.set(apiVersion, manager)
      continue
    }
    const bucket = { name: OLD_UPDATES, operation: 'Update', apiVersion, subresource: '' } as const
    const present = result.get(idOf(bucket))
    if (!present) result.delete(idOf(first))
    const fields = union((present ?? first).fields, manager.fields)
    result.delete(idOf(manager))
    result.set(idOf(bucket), { ...bucket, time: manager.time, fields })
    count--
  }
  return result
}

function inOrder(one: Manager, other: Manager): number {
  return (
    compareTexts(one.operation, other.operation) ||
    compareTexts(one.time ?? '', other.time ?? '') ||
    compareTexts(one.name, other.name) ||
    compareTexts(one.apiVersion, other.apiVersion) ||
    compareTexts(one.subresource, other.subresource)
  )
}

function compareTexts(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}

function decodeEntry(entry: Json): Manager | undefined {
  if (!isJsonObject(entry)) return undefined
  const { manager, operation, apiVersion, time, fieldsType, fieldsV1, subresource } = entry
  if (operation !== 'Apply' && operation !== 'Update') return undefined
  if (typeof apiVersion !== 'string' || apiVersion === '' || fieldsType !== 'FieldsV1') return undefined
  return {
    name: typeof manager === 'string' ? manager : '',
    operation,
    apiVersion,
    subresource: typeof subresource === 'string' ? subresource : '',
    time: typeof time === 'string' ? time : undefined,
    fields: fromFieldsV1(isJsonObject(fieldsV1) ? fieldsV1 : {}),
  }
}
