import { isUnchanged } from './compare.ts'
import { difference, isEmpty, union, without } from './field-set.ts'
import { capped, idOf, type Manager, type Managers } from './managers.ts'
import { type FieldChange, takeFields } from './take-fields.ts'
import { NEVER_OWNED } from './versions.ts'

/** Who writes. */
export interface Writer {
  readonly name: string
  readonly subresource: string
  /** RFC 3339; undefined for who writes by a Scale, which has no times. */
  readonly time: string | undefined
}

/** Who owns all that an object had before anybody began to count. */
const UNTRACKED = 'before-first-apply'

/** The managers of an object that has none yet, when somebody is about to apply to it. */
export async function managersOfUntracked(change: FieldChange, writer: Writer): Promise<Managers> {
  return await trackUpdate(change, new Map(), { ...writer, name: UNTRACKED })
}

/**
 * The managers after a create, update or patch: the writer owns what it added or changed, beside what it owned before; the others
 * lose that, and what went. A write that changes nothing gives back the managers that there were.
 */
export async function trackUpdate(change: FieldChange, managers: Managers, writer: Writer): Promise<Managers> {
  const { managers: rest, comparison } = await takeFields(change, managers, '')
  if (isUnchanged(comparison)) return rest.size === managers.size ? managers : rest
  const touched = without(union(comparison.modified, comparison.added), change.excluded)
  const fields = difference(touched, NEVER_OWNED)
  if (isEmpty(fields)) return rest
  const { name, subresource, time } = writer
  const { apiVersion } = change
  const own: Manager = { name, operation: 'Update', apiVersion, subresource, time, fields }
  const previous = rest.get(idOf(own))
  return capped(new Map(rest).set(idOf(own), previous ? { ...own, fields: union(previous.fields, own.fields) } : own))
}
