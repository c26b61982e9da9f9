import { sameJson } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { withIdentity } from '../schema/json.ts'
import { fieldSetOf } from './extract.ts'
import { difference, EMPTY, type FieldSet, has, intersection, isEmpty, union, without } from './field-set.ts'
import { allowedByLastApplied } from './last-applied.ts'
import { idOf, type Manager, type Managers } from './managers.ts'
import { mergeObjects } from './merge.ts'
import { withNamed } from './named.ts'
import { reconciled } from './reconcile.ts'
import { removeFields } from './remove.ts'
import { type Conflict, takeFields } from './take-fields.ts'
import { managersOfUntracked, type Writer } from './track-update.ts'
import { type Convert, NEVER_OWNED, type Shown } from './versions.ts'

/** A configuration that a manager applies to an object. */
export interface Application {
  readonly live: Shown
  readonly config: ApiObject
  readonly apiVersion: string
  readonly managers: Managers
  readonly writer: Writer
  /** Takes over what others own. */
  readonly force: boolean
  readonly excluded: FieldSet
  readonly convert: Convert
}

export interface Applied {
  /** The very live object where the configuration changes nothing. */
  readonly object: ApiObject
  readonly managers: Managers
  /** Not empty: nothing may be written. */
  readonly conflicts: readonly Conflict[]
}

/** kubectl's own name as a manager; only it looks after the annotation of its older way to apply. */
export const KUBECTL = 'kubectl'

/** The live object with the configuration in it, and without what the manager applied before, applies no more and nobody else owns. */
export async function applyConfiguration(given: Application): Promise<Applied> {
  const application = await withManagers(given)
  const applied = await applyOnce(application)
  if (applied.conflicts.length === 0 || application.writer.name !== KUBECTL) return applied
  // What client-side apply set, and nobody changed since, is the same kubectl's.
  const allowed = allowedByLastApplied(application.live, application.apiVersion)
  const conflicts = applied.conflicts.filter(({ path }) => !has(allowed, path))
  if (conflicts.length > 0) return { ...applied, conflicts }
  return await applyOnce({ ...application, force: true })
}

async function withManagers(application: Application): Promise<Application> {
  const { live, managers, apiVersion, convert, excluded, writer } = application
  if (managers.size > 0) return application
  const { apiVersion: version, kind } = live.object
  const before = { schema: live.schema, object: { apiVersion: version, kind, metadata: {} } }
  const change = { before, after: live.object, apiVersion, convert, excluded }
  return { ...application, managers: await managersOfUntracked(change, writer) }
}

async function applyOnce(application: Application): Promise<Applied> {
  const { live, config, apiVersion, writer, convert, excluded, force } = application
  const { schema } = live
  const managers = await presentManagers(application)
  const own: Manager = {
    ...{ name: writer.name, operation: 'Apply', apiVersion, subresource: writer.subresource, time: undefined },
    fields: without(fieldSetOf(schema, config), excluded),
  }
  const id = idOf(own)
  const last = managers.get(id)
  const next = new Map(managers).set(id, { ...own, time: last?.time })
  const merged = withIdentity(mergeObjects(schema, live.object, config), live.object)
  const after = last ? await pruned({ schema, object: merged }, next, last, application) : merged
  const change = { before: live, after, apiVersion, convert, excluded, isApplied: true }
  const { managers: rest, conflicts } = await takeFields(change, next, id)
  if (!force && conflicts.length > 0) return { object: live.object, managers, conflicts }
  const isSame = sameJson(live.object, after)
  const fields = difference(own.fields, NEVER_OWNED)
  const result = new Map(rest)
  if (isEmpty(fields)) result.delete(id)
  else result.set(id, { ...own, fields, time: isSame ? last?.time : writer.time })
  return { object: isSame ? live.object : after, managers: result, conflicts: [] }
}

/** The managers as the schemas of today mean their fields; those of versions that are gone are left out. */
async function presentManagers({ live, apiVersion, managers, convert }: Application): Promise<Managers> {
  const result = new Map<string, Manager>()
  for (const [id, manager] of managers) {
    const shown = manager.apiVersion === apiVersion ? live : await convert(live.object, manager.apiVersion)
    if (!shown) continue
    const fields = reconciled(shown.schema, manager.fields)
    result.set(id, fields === manager.fields ? manager : { ...manager, fields })
  }
  return result
}

/** In the version in which the manager applied last: what it had is gone, unless somebody has it now. */
async function pruned(merged: Shown, managers: Managers, last: Manager, application: Application): Promise<ApiObject> {
  const { apiVersion, convert } = application
  const start = last.apiVersion === apiVersion ? merged : await convert(merged.object, last.apiVersion)
  if (!start) return merged.object
  let left = remove(start, withNamed(start.schema, last.fields))
  for (const [version, owned] of ownedByVersion(managers, last.apiVersion)) {
    const whole = version === last.apiVersion ? start : await convert(start.object, version)
    const rest = left.apiVersion === version ? left : (await convert(left, version))?.object
    if (whole && rest) left = putBack(whole, rest, owned)
  }
  const back = left.apiVersion === last.apiVersion ? left : (await convert(left, last.apiVersion))?.object
  if (!back) return merged.object
  const whole = withNamed(start.schema, fieldSetOf(start.schema, start.object))
  const kept = withNamed(start.schema, fieldSetOf(start.schema, back))
  const gone = intersection(difference(whole, kept), withNamed(start.schema, last.fields))
  const result = remove(start, gone)
  return result.apiVersion === apiVersion ? result : ((await convert(result, apiVersion))?.object ?? merged.object)
}

/** Takes from the whole object only what neither is left nor owned. */
function putBack(whole: Shown, left: ApiObject, owned: FieldSet): ApiObject {
  const { schema, object } = whole
  const all = withNamed(schema, fieldSetOf(schema, object))
  const kept = union(withNamed(schema, fieldSetOf(schema, left)), withNamed(schema, owned))
  return remove(whole, difference(all, kept))
}

/** What all managers of each version own together; that version first in which something was removed. */
function ownedByVersion(managers: Managers, first: string): ReadonlyMap<string, FieldSet> {
  const result = new Map<string, FieldSet>([[first, EMPTY]])
  for (const { apiVersion, fields } of managers.values()) {
    result.set(apiVersion, union(result.get(apiVersion) ?? EMPTY, fields))
  }
  return result
}

/** All of the metadata may go on the way: what nobody owned comes back. */
function remove({ schema, object }: Shown, gone: FieldSet): ApiObject {
  return withIdentity({ metadata: {}, ...removeFields(schema, object, gone) }, object)
}
