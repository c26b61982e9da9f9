import type { Json, JsonObject } from '../../../schemas/index.ts'
import { goText } from '../fields/index.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject, setKey } from '../schema/json.ts'
import { schemaOfKey } from '../schema/prune.ts'
import { PatchError } from './patch-error.ts'
import { inOrder, keyOf, placesOf, textOf, withoutDirectives } from './strategic-list.ts'

const DELETE_FROM = '$deleteFromPrimitiveList/'
const SET_ORDER = '$setElementOrder/'

/**
 * Strategic merge patch of Kubernetes: a merge patch whose lists merge too, where the schema of a built-in kind says by
 * which key. Directives: $patch (merge, replace, delete), $retainKeys, $deleteFromPrimitiveList, $setElementOrder.
 * Throws PatchError.
 */
export function applyStrategicMergePatch(
  schema: StructuralSchema | undefined,
  value: JsonObject,
  patch: JsonObject,
): JsonObject {
  return mergeObject(schema, value, patch)
}

function mergeObject(schema: StructuralSchema | undefined, value: JsonObject, patch: JsonObject): JsonObject {
  const { $patch: directive, $retainKeys: retained, ...rest } = patch
  if (directive === 'replace') return plainObject(rest)
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge') {
    throw new PatchError(500, `unknown patch type: ${goText(directive, false)} in map: ${goText(patch)}`)
  }
  const base = retained === undefined ? value : retain(value, rest, retained)
  const { members, deletions, orders } = sortOut(rest)
  const result = new Map(Object.entries(base))
  for (const [key, gone] of deletions) removeItems(result, key, gone)
  for (const [key, member] of members) {
    if (member === null) result.delete(key)
    else result.set(key, mergeMember(schema && schemaOfKey(schema, key), result.get(key), member))
  }
  for (const [key, order] of orders) reorder(schema && schemaOfKey(schema, key), base[key], result, key, order)
  return fromMap(result)
}

function mergeMember(schema: StructuralSchema | undefined, value: Json | undefined, patch: Json): Json {
  const strategies = schema?.['x-kubernetes-patch-strategy']?.split(',') ?? []
  if (isJsonObject(patch)) {
    if (strategies.includes('replace') || !isJsonObject(value)) return mergeObject(schema, {}, patch)
    return mergeObject(schema, value, patch)
  }
  if (!isJsonArray(patch)) return patch
  if (!strategies.includes('merge')) return withoutDirectives(patch)
  return mergeList(schema, isJsonArray(value) ? value : [], patch)
}

function mergeList(
  schema: StructuralSchema | undefined,
  value: readonly Json[],
  patch: readonly Json[],
): readonly Json[] {
  const key = schema?.['x-kubernetes-patch-merge-key']
  if (key === undefined) return unique([...value, ...patch])
  const isReplace = patch.some((item) => isJsonObject(item) && item['$patch'] === 'replace')
  if (isReplace) return withoutDirectives(patch)
  const result: (Json | undefined)[] = [...value]
  const places = placesOf(value, key)
  for (const item of patch) {
    if (!isJsonObject(item)) throw new PatchError(400, `list of ${key}: an item of the patch is not an object`)
    const identity = textOf(keyOf(item, key))
    const found = places.get(identity) ?? []
    if (item['$patch'] === 'delete') {
      for (const position of found) result[position] = undefined
      places.delete(identity)
      continue
    }
    const [position = result.length] = found
    const old = result[position]
    result[position] = mergeObject(schema?.items, isJsonObject(old) ? old : {}, item)
    if (found.length === 0) places.set(identity, [position])
  }
  return result.filter((item) => item !== undefined)
}

/** $retainKeys: of the fields of a union only those named survive. */
function retain(value: JsonObject, patch: JsonObject, retained: Json): JsonObject {
  if (!isJsonArray(retained)) throw new PatchError(400, 'invalid patch format of retainKeys')
  const names = new Set(retained)
  for (const [key, member] of Object.entries(patch)) {
    if (member !== null && !key.startsWith('$') && !names.has(key)) {
      throw new PatchError(400, 'invalid patch format of retainKeys: a key of the patch is not in it')
    }
  }
  return fromMap(new Map(Object.entries(value).filter(([key]) => names.has(key))))
}

interface Sorted {
  readonly members: readonly (readonly [string, Json])[]
  readonly deletions: readonly (readonly [string, readonly Json[]])[]
  readonly orders: readonly (readonly [string, readonly Json[]])[]
}

function sortOut(patch: JsonObject): Sorted {
  const members: [string, Json][] = []
  const deletions: [string, readonly Json[]][] = []
  const orders: [string, readonly Json[]][] = []
  for (const [key, member] of Object.entries(patch)) {
    const lists = key.startsWith(DELETE_FROM) ? deletions : key.startsWith(SET_ORDER) ? orders : undefined
    if (!lists) members.push([key, member])
    else if (isJsonArray(member)) lists.push([key.slice(key.indexOf('/') + 1), member])
    else throw new PatchError(400, `invalid strategic merge patch format: ${key} is no list`)
  }
  return { members, deletions, orders }
}

function removeItems(result: Map<string, Json>, key: string, gone: readonly Json[]): void {
  const value = result.get(key)
  if (!isJsonArray(value)) return
  const texts = new Set(gone.map(textOf))
  result.set(
    key,
    value.filter((item) => !texts.has(textOf(item))),
  )
}

function reorder(
  schema: StructuralSchema | undefined,
  before: Json | undefined,
  result: Map<string, Json>,
  name: string,
  order: readonly Json[],
): void {
  const value = result.get(name)
  if (!isJsonArray(value)) return
  const key = schema?.['x-kubernetes-patch-merge-key']
  result.set(name, inOrder(value, isJsonArray(before) ? before : [], order, key))
}

/** A value taken over as it is: nulls and directives in it mean nothing there. */
function plainObject(patch: JsonObject): JsonObject {
  return mergeObject(undefined, {}, patch)
}

function unique(items: readonly Json[]): readonly Json[] {
  const seen = new Set<string>()
  return items.filter((item) => {
    const text = textOf(item)
    const isNew = !seen.has(text)
    seen.add(text)
    return isNew
  })
}

function fromMap(members: ReadonlyMap<string, Json>): JsonObject {
  const result: Record<string, Json> = {}
  for (const [key, member] of members) setKey(result, key, member)
  return result
}
