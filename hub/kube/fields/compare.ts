import type { Json, JsonObject } from '../../../schemas/index.ts'
import { sameJson } from '../object/access.ts'
import type { StructuralSchema } from '../resource.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { EMPTY, type FieldNode, type FieldSet, node } from './field-set.ts'
import { fieldElement, type PathElement } from './path-element.ts'
import { itemElement, itemSchema, schemaBelow, shapeOf } from './shape.ts'

/** What came, changed and went between two states of an object; of lists and maps part by part. */
export interface Comparison {
  readonly added: FieldSet
  readonly modified: FieldSet
  readonly removed: FieldSet
}

type Kind = keyof Comparison

interface Found {
  readonly added: Map<PathElement, FieldNode>
  readonly modified: Map<PathElement, FieldNode>
  readonly removed: Map<PathElement, FieldNode>
}

const NOTHING: Comparison = { added: EMPTY, modified: EMPTY, removed: EMPTY }

/** `before` is empty for a new object. Values that both states share are not looked into. */
export function compareObjects(schema: StructuralSchema, before: JsonObject, after: JsonObject): Comparison {
  return before === after ? NOTHING : compareMaps(schema, before, after)
}

export function isUnchanged({ added, modified, removed }: Comparison): boolean {
  return added.size === 0 && modified.size === 0 && removed.size === 0
}

function compareMaps(
  schema: StructuralSchema,
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): Comparison {
  const found = nothingYet()
  const compareKey = (key: string) => {
    const known = schemaBelow(schema, key)
    compareMember(found, fieldElement(key), known, memberOf(known, before, key), memberOf(known, after, key))
  }
  for (const [key, value] of Object.entries(before ?? {})) {
    if (!after || !Object.hasOwn(after, key) || after[key] !== value) compareKey(key)
  }
  for (const key of Object.keys(after ?? {})) {
    if (!before || !Object.hasOwn(before, key)) compareKey(key)
  }
  return found
}

/** Of an object that is there, also the parts that go without saying. */
function memberOf(schema: StructuralSchema, object: JsonObject | undefined, key: string): Json | undefined {
  if (!object) return undefined
  if (Object.hasOwn(object, key)) return object[key]
  if (!schema['x-skerry-always-there']) return undefined
  return schema.type === 'array' ? null : {}
}

function compareLists(schema: StructuralSchema, before: readonly Json[], after: readonly Json[]): Comparison {
  const found = nothingYet()
  const [old, now] = [byElement(schema, before), byElement(schema, after)]
  for (const element of new Set([...old.keys(), ...now.keys()])) {
    compareItem(found, element, itemSchema(schema), old.get(element) ?? [], now.get(element) ?? [])
  }
  return found
}

/** Of items that occur twice only the whole is seen. */
function compareItem(
  found: Found,
  element: PathElement,
  schema: StructuralSchema,
  old: readonly Json[],
  now: readonly Json[],
): void {
  if (old.length <= 1 && now.length <= 1) {
    compareMember(found, element, schema, old[0], now[0])
  } else if (old.length >= 2 && now.length >= 2) {
    if (!sameJson([...old], [...now])) put(found, 'modified', element, true, EMPTY)
  } else if (old.length >= 2) {
    if (now.length > 0) compareMember(found, element, schema, undefined, now[0])
    put(found, 'removed', element, true, EMPTY)
  } else {
    if (old.length > 0) compareMember(found, element, schema, old[0], undefined)
    put(found, 'added', element, true, EMPTY)
  }
}

/** One member or item; undefined where it is absent. */
function compareMember(
  found: Found,
  element: PathElement,
  schema: StructuralSchema,
  old: Json | undefined,
  now: Json | undefined,
): void {
  if (old === now) return
  const parts = partsOf(schema, old, now)
  if (parts === undefined) {
    if (old === undefined) put(found, 'added', element, true, EMPTY)
    else if (now === undefined) put(found, 'removed', element, true, EMPTY)
    else if (!sameJson(old, now)) put(found, 'modified', element, true, EMPTY)
    return
  }
  put(found, 'added', element, old === undefined, parts.added)
  put(found, 'modified', element, false, parts.modified)
  put(found, 'removed', element, now === undefined, parts.removed)
}

/** Undefined where the two are compared as wholes: leaves, empty ones, and where one is of another shape than the other. */
function partsOf(schema: StructuralSchema, old: Json | undefined, now: Json | undefined): Comparison | undefined {
  const shape = shapeOf(schema, now ?? old)
  if (isVoid(old) && isVoid(now)) return undefined
  if (shape === 'map' && isMapOrVoid(old) && isMapOrVoid(now)) {
    return compareMaps(schema, isJsonObject(old) ? old : undefined, isJsonObject(now) ? now : undefined)
  }
  if (shape === 'list' && isListOrVoid(old) && isListOrVoid(now)) {
    return compareLists(schema, isJsonArray(old) ? old : [], isJsonArray(now) ? now : [])
  }
  return undefined
}

function isVoid(value: Json | undefined): boolean {
  if (value === undefined || value === null) return true
  return typeof value === 'object' && Object.keys(value).length === 0
}

function isMapOrVoid(value: Json | undefined): boolean {
  return value === undefined || value === null || isJsonObject(value)
}

function isListOrVoid(value: Json | undefined): boolean {
  return value === undefined || value === null || isJsonArray(value)
}

function put(found: Found, kind: Kind, element: PathElement, isMember: boolean, below: FieldSet): void {
  const present = found[kind].get(element)
  const made = node(isMember || present?.isMember === true, below.size > 0 ? below : (present?.below ?? EMPTY))
  if (made) found[kind].set(element, made)
}

function byElement(schema: StructuralSchema, items: readonly Json[]): ReadonlyMap<PathElement, readonly Json[]> {
  const map = new Map<PathElement, Json[]>()
  for (const item of items) {
    const element = itemElement(schema, item)
    if (element === undefined) continue
    const same = map.get(element)
    if (same) same.push(item)
    else map.set(element, [item])
  }
  return map
}

function nothingYet(): Found {
  return { added: new Map(), modified: new Map(), removed: new Map() }
}
