import type { ApiObject } from '../resource.ts'
import { unreasoned } from '../status.ts'
import { appliedError } from './check-applied.ts'
import { type Comparison, compareObjects, isUnchanged } from './compare.ts'
import { difference, EMPTY, type FieldSet, intersection, isEmpty, pathsOf, union, without } from './field-set.ts'
import type { Manager, Managers } from './managers.ts'
import { type FieldPath, pathText } from './path-element.ts'
import { bare, type Convert, type Shown } from './versions.ts'

/** A change of an object, as the version of its kind shows it that the client speaks. */
export interface FieldChange {
  readonly before: Shown
  readonly after: ApiObject
  readonly apiVersion: string
  readonly convert: Convert
  /** What this way of writing cannot change, so that nobody comes to own it by it. */
  readonly excluded: FieldSet
  /** Nothing may be lost on the way to the version of another manager: throws a Status where something would be. */
  readonly isApplied?: boolean
}

/** A field that somebody else owns, and that the change would make another. */
export interface Conflict {
  readonly manager: Manager
  readonly path: FieldPath
}

export interface Taking {
  readonly managers: Managers
  readonly comparison: Comparison
  /** What others lost to the change. */
  readonly conflicts: readonly Conflict[]
}

/** Takes what the change touches from everybody but `self`, and what it removes. */
export async function takeFields(change: FieldChange, managers: Managers, self: string): Promise<Taking> {
  const comparison = narrowed(compareIn(change.before, change.after), change.excluded)
  // The same in one version is the same in all of them.
  if (isUnchanged(comparison)) return { managers, comparison, conflicts: [] }
  const byVersion = new Map<string, Comparison | undefined>([[change.apiVersion, comparison]])
  const conflicts: Conflict[] = []
  const result = new Map<string, Manager>()
  for (const [id, manager] of managers) {
    if (id === self) {
      result.set(id, manager)
      continue
    }
    const { apiVersion } = manager
    if (!byVersion.has(apiVersion)) byVersion.set(apiVersion, await compareElsewhere(change, apiVersion))
    const seen = byVersion.get(apiVersion)
    // Of a version that is gone, or that nothing converts to, nobody can say any more what its fields are.
    if (!seen) continue
    const lost = intersection(manager.fields, union(seen.modified, seen.added))
    conflicts.push(...pathsOf(lost).map((path) => ({ manager, path })))
    const fields = difference(difference(manager.fields, lost), seen.removed)
    if (!isEmpty(fields)) result.set(id, fields === manager.fields ? manager : { ...manager, fields })
  }
  return { managers: result, comparison, conflicts }
}

/** In the words of Kubernetes: `"kubectl" using apps/v1`; appliers go by their name alone. */
export function managerText({ name, subresource, operation, apiVersion }: Manager): string {
  const part = subresource === '' ? '' : ` with subresource ${JSON.stringify(subresource)}`
  return `${JSON.stringify(name)}${part}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}

/** What an apply with conflicts is answered with. */
export function conflictText(conflicts: readonly Conflict[]): string {
  const [first] = conflicts
  if (first && conflicts.length === 1) {
    return `Apply failed with 1 conflict: conflict with ${managerText(first.manager)}: ${pathText(first.path)}`
  }
  const byManager = Map.groupBy(conflicts, ({ manager }) => managerText(manager))
  const lines = [...byManager].flatMap(([name, lost]) => [
    `conflicts with ${name}:`,
    ...lost.map(({ path }) => `- ${pathText(path)}`),
  ])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

async function compareElsewhere(
  { before, after, convert, isApplied = false }: FieldChange,
  apiVersion: string,
): Promise<Comparison | undefined> {
  const [old, now] = [await convert(before.object, apiVersion), await convert(after, apiVersion)]
  if (isApplied) {
    checkTyped('old', old)
    checkTyped('new', now)
  }
  return old && now && compareIn(old, now.object)
}

function checkTyped(which: 'old' | 'new', shown: Shown | undefined): void {
  const wrong = shown && appliedError(shown.schema, shown.object)
  if (wrong !== undefined) throw unreasoned(`failed to convert ${which} object: ${wrong}`)
}

function compareIn({ schema, object }: Shown, after: ApiObject): Comparison {
  return compareObjects(schema, bare(object), bare(after))
}

function narrowed(comparison: Comparison, excluded: FieldSet): Comparison {
  if (excluded === EMPTY) return comparison
  const { added, modified, removed } = comparison
  return {
    added: without(added, excluded),
    modified: without(modified, excluded),
    removed: without(removed, excluded),
  }
}
