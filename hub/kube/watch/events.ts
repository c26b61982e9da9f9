import type { ApiObject } from '../resource.ts'
import type { Change } from './change-log.ts'

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED'

export interface WatchEvent {
  readonly type: WatchEventType
  readonly object: ApiObject
}

/**
 * What a watcher with a filter gets of a change: an object that begins to match was added for it, one that ends to match was
 * deleted. Undefined when the change does not concern it.
 */
export function eventOf(change: Change, matches: (object: ApiObject) => boolean): WatchEvent | undefined {
  const before = change.before !== undefined && matches(change.before)
  const after = change.after !== undefined && matches(change.after)
  if (after) return { type: before ? 'MODIFIED' : 'ADDED', object: change.shown }
  if (!before || !change.before) return undefined
  return { type: 'DELETED', object: change.after === undefined ? change.shown : lastMatch(change.before, change) }
}

/** Objects as they were before the changes, which are all those after the version asked for. */
export function rollBack(
  objects: ReadonlyMap<string, ApiObject>,
  changes: readonly Change[],
): ReadonlyMap<string, ApiObject> {
  const past = new Map(objects)
  for (const { key, before } of [...changes].reverse()) {
    if (before) past.set(key, before)
    else past.delete(key)
  }
  return past
}

/** The state that still matched, with the version of the change, so that the watcher goes on from there. */
function lastMatch(before: ApiObject, change: Change): ApiObject {
  return { ...before, metadata: { ...before.metadata, resourceVersion: String(change.version) } }
}
