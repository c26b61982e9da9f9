import { isUnchanged } from './compare.ts'
import { difference, EMPTY, isEmpty, union, without } from './field-set.ts'
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
  const { name, subresource, time } = writer
  const { apiVersion } = change
  const own = { name, operation: 'Update', apiVersion, subresource } as const
  const id = idOf(own)
  // What it owns already stays its own, often as the very same set: nothing is taken from it but what goes.
  const { managers: rest, comparison } = await takeFields(change, managers, id)
  if (isUnchanged(comparison)) return rest.size === managers.size ? managers : rest
  const touched = without(union(comparison.modified, comparison.added), change.excluded)
  const gained = difference(touched, NEVER_OWNED)
  const previous = rest.get(id)
  const fields = union(difference(previous?.fields ?? EMPTY, comparison.removed), gained)
  const next = new Map(rest)
  if (isEmpty(fields)) next.delete(id)
  else next.set(id, { ...own, time: isEmpty(gained) ? previous?.time : time, fields } satisfies Manager)
  return isEmpty(gained) ? next : capped(next)
}
