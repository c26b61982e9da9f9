import type { Json, JsonObject } from '../../../schemas/index.ts'
import { canonicalText, isJsonArray, isJsonObject } from '../schema/json.ts'
import { CelError } from './errors.ts'
import { parseDuration, parseTimestamp } from './library/time-text.ts'
import { type CelType, DYN, type ListType, type ObjectType } from './types.ts'

/** A value while an expression runs: int is bigint, double is number. */
export type CelValue = null | boolean | bigint | number | string | Uint8Array | Boxed

export type Boxed =
  | { readonly kind: 'uint'; readonly value: bigint }
  | { readonly kind: 'timestamp'; readonly nanos: bigint }
  | { readonly kind: 'duration'; readonly nanos: bigint }
  | ListValue
  | MapValue
  | ObjectValue
  | { readonly kind: 'optional'; readonly value: CelValue | undefined }
  | { readonly kind: 'type'; readonly name: string }
  | OpaqueValue

/** Values of the libraries of Kubernetes. */
export type OpaqueValue =
  | { readonly kind: 'quantity'; readonly amount: bigint }
  | IpValue
  | { readonly kind: 'cidr'; readonly ip: IpValue; readonly length: number }
  | { readonly kind: 'url'; readonly text: string; readonly url: URL }
  | { readonly kind: 'format'; readonly name: string }
  | { readonly kind: 'semver'; readonly numbers: readonly [bigint, bigint, bigint]; readonly pre: readonly string[] }

export interface IpValue {
  readonly kind: 'ip'
  readonly family: 4 | 6
  readonly bits: bigint
}

/** Members are made when they are asked for: most rules look at few of them. */
export interface ListValue {
  readonly kind: 'list'
  readonly length: number
  readonly at: (position: number) => CelValue
  readonly identity?: ListType['identity']
}

export interface MapValue {
  readonly kind: 'map'
  readonly keys: readonly CelValue[]
  readonly get: (key: CelValue) => CelValue | undefined
}

export interface ObjectValue {
  readonly kind: 'object'
  readonly type: ObjectType
  readonly json: JsonObject
}

/** A part of an object as its schema types it. Throws a CelError where it does not fit. */
export function typedValue(json: Json, type: CelType): CelValue {
  if (json === null) return null
  if (type.kind === 'object' && isJsonObject(json)) return { kind: 'object', type, json }
  if (type.kind === 'map' && isJsonObject(json)) return mapOfJson(json, type.value)
  if (type.kind === 'list' && isJsonArray(json)) {
    const { item, identity } = type
    return { kind: 'list', length: json.length, at: (position) => typedValue(json[position] ?? null, item), identity }
  }
  if (typeof json === 'string') return textValue(json, type)
  if (typeof json === 'number') return numberValue(json, type)
  if (typeof json === 'boolean') return json
  return isJsonArray(json) ? listValue(json.map((each) => typedValue(each, DYN))) : mapOfJson(json, DYN)
}

function numberValue(json: number, type: CelType): CelValue {
  return type.kind !== 'double' && Number.isInteger(json) ? BigInt(json) : json
}

function textValue(text: string, type: CelType): CelValue {
  switch (type.kind) {
    case 'bytes':
      return new Uint8Array(Buffer.from(text, 'base64'))
    case 'duration': {
      const nanos = parseDuration(text)
      if (nanos === undefined) throw new CelError(`Invalid duration ${text}: time: invalid duration "${text}"`)
      return { kind: 'duration', nanos }
    }
    case 'timestamp': {
      const nanos = parseTimestamp(text.length === 10 ? `${text}T00:00:00Z` : text)
      if (nanos === undefined) throw new CelError(`Invalid date-time ${text}`)
      return { kind: 'timestamp', nanos }
    }
    default:
      return text
  }
}

function mapOfJson(json: JsonObject, type: CelType): MapValue {
  const get = (key: CelValue) => {
    const found = typeof key === 'string' && Object.hasOwn(json, key) ? json[key] : undefined
    return found === undefined ? undefined : typedValue(found, type)
  }
  return { kind: 'map', keys: Object.keys(json), get }
}

export function listValue(items: readonly CelValue[]): ListValue {
  return { kind: 'list', length: items.length, at: (position) => items[position] ?? null }
}

/** Throws a CelError for a key that comes twice. */
export function mapValue(entries: readonly (readonly [CelValue, CelValue])[]): MapValue {
  const members = new Map<string, CelValue>()
  for (const [key, value] of entries) {
    const text = keyText(key)
    if (members.has(text)) throw new CelError(`insert failed: key ${text} already exists`)
    members.set(text, value)
  }
  return { kind: 'map', keys: entries.map(([key]) => key), get: (key) => members.get(keyText(key)) }
}

/** 1, 1u and 1.0 are the same key. */
function keyText(key: CelValue): string {
  if (typeof key === 'string') return `s${key}`
  if (typeof key === 'bigint' || typeof key === 'boolean') return `${key}`
  if (typeof key === 'number') return Number.isInteger(key) ? `${BigInt(key)}` : `${key}`
  if (isBoxed(key) && key.kind === 'uint') return `${key.value}`
  throw new CelError('unsupported key type')
}

export function isBoxed(value: CelValue): value is Boxed {
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array)
}

export function* membersOf(list: ListValue): Generator<CelValue> {
  for (let position = 0; position < list.length; position++) yield list.at(position)
}

/** The member of an object; undefined where it is absent. */
export function fieldOf({ type, json }: ObjectValue, name: string): CelValue | undefined {
  const field = type.fields.get(name)
  const found = field && Object.hasOwn(json, field.json) ? json[field.json] : undefined
  return field && found !== undefined ? typedValue(found, field.type) : undefined
}

/** One text for equal parts of objects, whatever the order of their fields. */
export function identityText(value: CelValue, keys: ListType['identity']): string {
  if (!isBoxed(value) || value.kind !== 'object' || typeof keys !== 'object') return plainText(value)
  return keys.map((key) => canonicalText(value.json[key] ?? null)).join()
}

function plainText(value: CelValue): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (!isBoxed(value)) return `${typeof value}:${value}`
  if (value.kind === 'object') return canonicalText(value.json)
  if (value.kind === 'list') return `[${[...membersOf(value)].map(plainText).join()}]`
  if (value.kind === 'map')
    return `{${value.keys
      .map((key) => `${plainText(key)}=${plainText(value.get(key) ?? null)}`)
      .sort()
      .join()}}`
  if (value.kind === 'timestamp' || value.kind === 'duration') return `${value.kind}${value.nanos}`
  return value.kind === 'uint' ? `uint${value.value}` : value.kind
}
