import type { Json, JsonObject } from '../../../schemas/index.ts'
import { canonicalText, isJsonObject } from '../schema/json.ts'

/**
 * One step of a path, as FieldsV1 writes it: `f:replicas` (a field), `k:{"name":"web"}` (the list item with these keys),
 * `v:"blue"` (the item of a set), `i:0` (a position). Equal steps have equal texts.
 */
export type PathElement = string

/** Where a field stands, from the root of the object. */
export type FieldPath = readonly PathElement[]

export function fieldElement(name: string): PathElement {
  return `f:${name}`
}

export function keyElement(keys: JsonObject): PathElement {
  return `k:${canonicalText(keys)}`
}

export function valueElement(value: Json): PathElement {
  return `v:${canonicalText(value)}`
}

/** The path of nested fields: `spec`, `replicas`. */
export function fieldPath(...names: readonly string[]): FieldPath {
  return names.map(fieldElement)
}

/** A step in its one form; undefined for what no step is, also for kinds of steps that a later version may know. */
export function parseElement(text: string): PathElement | undefined {
  const rest = text.slice(2)
  switch (text.slice(0, 2)) {
    case 'f:':
      return text
    case 'i:':
      return /^-?\d+$/.test(rest) ? `i:${Number(rest)}` : undefined
    case 'v:':
    case 'k:': {
      const value = parseJson(rest)
      if (value === undefined || (text.startsWith('k:') && !isJsonObject(value))) return undefined
      return text.slice(0, 2) + canonicalText(value)
    }
    default:
      return undefined
  }
}

const RANKS = ['f:', 'k:', 'v:', 'i:']

/** Fields, then items by keys, by value, by position; numbers by size. */
export function compareElements(one: PathElement, other: PathElement): number {
  const rank = RANKS.indexOf(one.slice(0, 2)) - RANKS.indexOf(other.slice(0, 2))
  if (rank !== 0) return rank
  const [a, b] = [Number(one.slice(2)), Number(other.slice(2))]
  if (!one.startsWith('f:') && !Number.isNaN(a) && !Number.isNaN(b) && a !== b) return a - b
  return one < other ? -1 : Number(one > other)
}

/** A step as error texts show it: `.replicas`, `[name="web"]`, `[="blue"]`, `[0]`. */
export function elementText(element: PathElement): string {
  const rest = element.slice(2)
  if (element.startsWith('f:')) return `.${rest}`
  if (element.startsWith('v:')) return `[=${rest}]`
  const keys = element.startsWith('k:') ? parseJson(rest) : undefined
  if (!isJsonObject(keys)) return `[${rest}]`
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(',')}]`
}

export function pathText(path: FieldPath): string {
  return path.map(elementText).join('')
}

function parseJson(text: string): Json | undefined {
  try {
    const value: Json = JSON.parse(text)
    return value
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
