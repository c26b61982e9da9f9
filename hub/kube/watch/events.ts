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

/** What each object that was changed was before the first of the changes: undefined for one that was not there. */
export function statesBefore(changes: readonly Change[]): ReadonlyMap<string, ApiObject | undefined> {
  const states = new Map<string, ApiObject | undefined>()
  for (const { key, before } of changes) if (!states.has(key)) states.set(key, before)
  return states
}

/** The state that still matched, with the version of the change, so that the watcher goes on from there. */
function lastMatch(before: ApiObject, change: Change): ApiObject {
  return { ...before, metadata: { ...before.metadata, resourceVersion: String(change.version) } }
}
