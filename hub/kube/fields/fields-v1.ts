import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isJsonObject, setKey } from '../schema/json.ts'
import { EMPTY, type FieldNode, type FieldSet } from './field-set.ts'
import { compareElements, type PathElement, parseElement } from './path-element.ts'

/** How many different sets are shared between objects. Objects of a kind own the same few sets of fields. */
const MOST_SHARED = 4096
/** Longer ones are few, or made to fill the memory. */
const LONGEST_SHARED = 8 * 1024

/** Sets of `fieldsV1` as objects hold it, and the other way round; forgotten with the objects. */
const decoded = new WeakMap<JsonObject, FieldSet>()
const encoded = new WeakMap<FieldSet, JsonObject>()
/** By its text: ten thousand devices that own the same fields hold one and the same `fieldsV1`. */
const shared = new Map<string, JsonObject>()

/** The set that `fieldsV1` of an entry of metadata.managedFields says. Steps that nobody knows are left out. */
export function fromFieldsV1(fields: JsonObject): FieldSet {
  const known = decoded.get(fields)
  if (known) return known
  const set = readNode(fields).below
  decoded.set(fields, set)
  return set
}

/** The other way round; equal sets have one and the same object. */
export function toFieldsV1(set: FieldSet): JsonObject {
  const known = encoded.get(set)
  if (known) return known
  const fresh = writeNode({ isMember: false, below: set })
  const text = JSON.stringify(fresh)
  const fields = text.length > LONGEST_SHARED ? fresh : sharedAs(text, fresh)
  encoded.set(set, fields)
  if (!decoded.has(fields)) decoded.set(fields, set)
  return fields
}

function sharedAs(text: string, fresh: JsonObject): JsonObject {
  const fields = shared.get(text) ?? fresh
  shared.delete(text)
  shared.set(text, fields)
  if (shared.size > MOST_SHARED) shared.delete(shared.keys().next().value ?? '')
  return fields
}

/** An entry without anything below it is a member by itself; `.` says so where there is more. */
function readNode(fields: Json): FieldNode {
  if (!isJsonObject(fields)) return { isMember: true, below: EMPTY }
  const below = new Map<PathElement, FieldNode>()
  for (const [text, value] of Object.entries(fields)) {
    const element = text === '.' ? undefined : parseElement(text)
    if (element !== undefined) below.set(element, readNode(value))
  }
  return { isMember: Object.hasOwn(fields, '.') || below.size === 0, below }
}

function writeNode({ isMember, below }: FieldNode): JsonObject {
  const fields: Record<string, Json> = isMember && below.size > 0 ? { '.': {} } : {}
  for (const element of [...below.keys()].sort(compareElements)) {
    setKey(fields, element, writeNode(below.get(element) ?? { isMember: true, below: EMPTY }))
  }
  return fields
}
