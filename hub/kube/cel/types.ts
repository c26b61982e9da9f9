/** What an expression gives. `dyn` is decided when it runs; `error` was complained of already. */
export type CelType =
  | { readonly kind: SimpleKind }
  | { readonly kind: 'opaque'; readonly name: string }
  | { readonly kind: 'param'; readonly name: string }
  | ListType
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'optional'; readonly of: CelType }
  | { readonly kind: 'type'; readonly of: CelType }
  | ObjectType

export type SimpleKind =
  | 'int'
  | 'uint'
  | 'double'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'null'
  | 'timestamp'
  | 'duration'
  | 'dyn'
  | 'error'

export interface ListType {
  readonly kind: 'list'
  readonly item: CelType
  /** Lists that a schema declares as sets, or as maps by these fields, are equal in any order and add up without twins. */
  readonly identity?: 'item' | readonly string[]
  readonly most?: number
}

export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  /** By the name that expressions use. */
  readonly fields: ReadonlyMap<string, Field>
}

export interface Field {
  /** Name in the object itself. */
  readonly json: string
  readonly type: CelType
}

export const DYN: CelType = { kind: 'dyn' }
export const ERROR: CelType = { kind: 'error' }
export const BOOL: CelType = { kind: 'bool' }
export const STRING: CelType = { kind: 'string' }
export const INT: CelType = { kind: 'int' }

/** As messages of the compiler name it. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case 'opaque':
    case 'object':
    case 'param':
      return type.name
    case 'list':
      return `list(${typeText(type.item)})`
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`
    case 'optional':
      return `optional_type(${typeText(type.of)})`
    case 'type':
      return `type(${typeText(type.of)})`
    case 'error':
      return '!error!'
    default:
      return type.kind
  }
}

export type Bindings = Map<string, CelType>

/** Whether a value of type `given` may stand where `wanted` is asked for; parameters of `wanted` are bound on the way. */
export function isAssignable(wanted: CelType, given: CelType, bindings: Bindings): boolean {
  if (isAnything(wanted) || isAnything(given)) return true
  if (wanted.kind === 'param') {
    const bound = bindings.get(wanted.name)
    if (!bound) {
      bindings.set(wanted.name, given)
      return true
    }
    if (!isAssignable(bound, given, bindings)) return false
    if (isOpen(given) && !isAnything(given)) bindings.set(wanted.name, given)
    return true
  }
  switch (wanted.kind) {
    case 'list':
      return given.kind === 'list' && isAssignable(wanted.item, given.item, bindings)
    case 'map':
      return (
        given.kind === 'map' &&
        isAssignable(wanted.key, given.key, bindings) &&
        isAssignable(wanted.value, given.value, bindings)
      )
    case 'optional':
      return given.kind === 'optional' && isAssignable(wanted.of, given.of, bindings)
    case 'opaque':
    case 'object':
      return given.kind === wanted.kind && given.name === wanted.name
    case 'type':
      return given.kind === 'type'
    default:
      // Objects of Kubernetes have no null where a wrapper or message could stand.
      return given.kind === wanted.kind
  }
}

/** The type with its parameters replaced; what nothing bound may be anything. */
export function resolved(type: CelType, bindings: Bindings): CelType {
  switch (type.kind) {
    case 'param':
      return bindings.get(type.name) ?? DYN
    case 'list':
      return { ...type, item: resolved(type.item, bindings) }
    case 'map':
      return { kind: 'map', key: resolved(type.key, bindings), value: resolved(type.value, bindings) }
    case 'optional':
    case 'type':
      return { kind: type.kind, of: resolved(type.of, bindings) }
    default:
      return type
  }
}

export function isAnything(type: CelType): boolean {
  return type.kind === 'dyn' || type.kind === 'error'
}

/** The one type of two branches or members, if they have one. */
export function joined(one: CelType, other: CelType): CelType | undefined {
  if (isAnything(one)) return one
  if (isAnything(other)) return other
  if (!isAssignable(one, other, new Map())) return undefined
  return isOpen(one) ? other : one
}

/** Has something undecided in it, such as the items of an empty list. */
function isOpen(type: CelType): boolean {
  if (type.kind === 'list') return isAnything(type.item) || isOpen(type.item)
  if (type.kind === 'map') return isAnything(type.value) || isOpen(type.value)
  return type.kind === 'optional' && (isAnything(type.of) || isOpen(type.of))
}
