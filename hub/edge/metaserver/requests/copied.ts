import type { JsonObject } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../../kube/object/index.ts'
import type { ResourcePath } from '../../../serving/requests/paths.ts'
import type { User } from '../../../serving/user.ts'
import { isTable, partOf } from './cloud-table.ts'
import type { Copies, Copy } from './copies.ts'

/** What a caller asks to read. */
export interface Wanted {
  readonly user: User
  readonly path: ResourcePath
  /** Which objects are meant: selectors and pages. */
  readonly query: string
  readonly pathname: string
}

/**
 * The last answer to the same question; else what an answer to a wider one of the same caller says of it: an object out of a list, the
 * list of a namespace out of that of all of them.
 */
export function copyOf(copies: Copies, { user, path, query, pathname }: Wanted): Copy | undefined {
  const target = `${pathname}?${query}`
  const same = copies.find(user, target)
  if (path.subresource !== '') return same
  const items = path.name === '' ? [] : itemsFrom(copies, user, path)
  if (same) return withCells(same, items)
  const wider = path.name === '' ? fromAll(copies, user, path, query) : items[0]
  return wider && wider.at > (copies.refusedAt(user, target) ?? 0) ? withCells(wider, items) : undefined
}

/** The cloud said no: neither a copy of the question itself nor one of a wider one answers it, until the cloud says something else. */
export function refuseCopyOf(copies: Copies, wanted: Wanted): void {
  const target = `${wanted.pathname}?${wanted.query}`
  copies.drop(wanted.user, target)
  if (copyOf(copies, wanted)) copies.refuse(wanted.user, target)
}

function fromAll(copies: Copies, user: User, path: ResourcePath, query: string): Copy | undefined {
  const all = path.namespace === '' ? undefined : copies.find(user, `${placeOf(path, '')}?${query}`)
  return all && ofNamespace(all, path.namespace)
}

/** The object out of lists, the latest first. */
function itemsFrom(copies: Copies, user: User, path: ResourcePath): readonly Copy[] {
  const { namespace, name } = path
  const places = new Set([placeOf(path, namespace), placeOf(path, '')])
  const found: Copy[] = []
  for (const place of places) {
    for (const copy of copies.at(user, place, JSON.stringify(name))) {
      const object = itemOf(copy, namespace, name)
      if (object) found.push({ answer: { code: 200, object }, at: copy.at })
    }
  }
  return found.toSorted((one, other) => other.at - one.at)
}

/** Where a table has the object as it is in the copy, it says more of it. */
function withCells(copy: Copy, items: readonly Copy[]): Copy {
  const row = items.find((each) => isTable(each.answer.object ?? {}) && versionIn(each) === versionIn(copy))
  return row ? { ...row, at: copy.at } : copy
}

/** Of the one object in it. */
function versionIn({ answer: { object = {} } }: Copy): string {
  const [row] = arrayAt(object, 'rows')
  const one = isTable(object) && isJsonObject(row) ? objectAt(row, 'object') : object
  return textAt(objectAt(one, 'metadata'), 'resourceVersion')
}

/** Items of a list leave out of what kind they are. */
function itemOf({ answer: { object = {} } }: Copy, namespace: string, name: string): JsonObject | undefined {
  const isIt = (each: JsonObject) => isAt(each, namespace) && textAt(objectAt(each, 'metadata'), 'name') === name
  if (isTable(object)) {
    const table = partOf(object, isIt)
    return arrayAt(table, 'rows').length > 0 ? table : undefined
  }
  const item = arrayAt(object, 'items').filter(isJsonObject).find(isIt)
  const kind = textAt(object, 'kind').replace(/List$/, '')
  return item && { apiVersion: textAt(object, 'apiVersion'), kind, ...item }
}

/** Nothing where it is only the first page. */
function ofNamespace({ answer, at }: Copy, namespace: string): Copy | undefined {
  const { object = {} } = answer
  if (textAt(objectAt(object, 'metadata'), 'continue') !== '') return undefined
  if (isTable(object)) return { answer: { ...answer, object: partOf(object, (each) => isAt(each, namespace)) }, at }
  const items = arrayAt(object, 'items').filter((each) => isJsonObject(each) && isAt(each, namespace))
  return { answer: { ...answer, object: { ...object, items } }, at }
}

function isAt(object: JsonObject, namespace: string): boolean {
  return textAt(objectAt(object, 'metadata'), 'namespace') === namespace
}

function placeOf({ group, version, plural }: ResourcePath, namespace: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return `${root}${namespace === '' ? '' : `/namespaces/${namespace}`}/${plural}`
}
