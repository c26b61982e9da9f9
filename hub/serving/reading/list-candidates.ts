import type { ResourceDefinition } from '../../kube/resource.ts'
import { type Entry, type ObjectsView, within } from '../objects/ordered-objects.ts'
import { keyOf, resourceOf } from '../objects/registry.ts'
import type { ReadableObjects } from './context.ts'
import type { ListOptions } from './list-options.ts'

export interface Sought {
  readonly store: ReadableObjects
  readonly definition: ResourceDefinition
  /** Empty: all. */
  readonly namespace: string
  readonly fields: ListOptions['fields']
  readonly view: ObjectsView
  /** Of the view; undefined for the present one. */
  readonly version?: number | undefined
  /** The least key. */
  readonly start?: string
}

/**
 * Objects among which are all that the field selector takes, in order. Who asks for a name, or for the text of a field by which
 * objects are found, has no others looked at.
 */
export function candidates(sought: Sought): Iterable<Entry> {
  const { store, definition, fields, view, version, start = '' } = sought
  const namespace = sought.namespace || (definition.namespaced ? equal(fields, 'metadata.namespace') : '') || ''
  const name = equal(fields, 'metadata.name')
  if (name !== undefined) {
    const isOne = namespace !== '' || !definition.namespaced
    return existing(view, start, isOne ? [keyOf(namespace, name)] : keysNamed(view, name))
  }
  const prefix = namespace === '' ? '' : `${namespace}/`
  for (const { path, equals, value } of fields) {
    const keys = equals ? store.keysWith(resourceOf(definition), path, value, version) : undefined
    if (keys) return existing(view, start > prefix ? start : prefix, keys, prefix)
  }
  return within(view, prefix, start)
}

function equal(fields: ListOptions['fields'], path: string): string | undefined {
  return fields.find((field) => field.path === path && field.equals)?.value
}

/** One key in each namespace that holds anything; from one namespace it jumps to the next. */
function* keysNamed(view: ObjectsView, name: string): Generator<string> {
  for (let start = ''; ; ) {
    const [first] = view.from(start)
    if (!first) return
    const [namespace = ''] = first[0].split('/')
    yield keyOf(namespace, name)
    // `0` is what comes after `/`.
    start = `${namespace}0`
  }
}

function* existing(view: ObjectsView, start: string, keys: Iterable<string>, prefix = ''): Generator<Entry> {
  for (const key of keys) {
    const object = key >= start && key.startsWith(prefix) ? view.get(key) : undefined
    if (object) yield [key, object]
  }
}
