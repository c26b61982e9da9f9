import type { Budget } from '../budget.ts'
import { BOOL, type CelType, DYN, INT, STRING } from '../types.ts'
import type { CelValue } from '../values.ts'

/** One way to call a function; the first that fits the types of the arguments is taken. */
export interface Overload {
  readonly name: string
  readonly isMethod: boolean
  /** Of a method, the first is what stands before the dot. */
  readonly params: readonly CelType[]
  readonly result: CelType
  readonly run: Run
}

/** Arguments are of the types of the signature. Throws a CelError, or a BudgetError. */
export type Run = (args: readonly CelValue[], budget: Budget) => CelValue

const NAMES: Readonly<Record<string, CelType>> = {
  int: INT,
  uint: { kind: 'uint' },
  double: { kind: 'double' },
  bool: BOOL,
  string: STRING,
  bytes: { kind: 'bytes' },
  null: { kind: 'null' },
  timestamp: { kind: 'timestamp' },
  duration: { kind: 'duration' },
  dyn: DYN,
  type: { kind: 'type', of: DYN },
  A: { kind: 'param', name: 'A' },
  B: { kind: 'param', name: 'B' },
  quantity: { kind: 'opaque', name: 'kubernetes.Quantity' },
  ip: { kind: 'opaque', name: 'net.IP' },
  cidr: { kind: 'opaque', name: 'net.CIDR' },
  url: { kind: 'opaque', name: 'kubernetes.URL' },
  format: { kind: 'opaque', name: 'kubernetes.NamedFormat' },
  semver: { kind: 'opaque', name: 'kubernetes.Semver' },
}

/** Kinds of values of the types that libraries of Kubernetes add. */
const OPAQUE_KINDS = new Map(
  Object.entries(NAMES).flatMap(([kind, type]) => (type.kind === 'opaque' ? [[type.name, kind] as const] : [])),
)

/** `string -> contains(string): bool` is a method, `sets.contains(list(A), list(A)): bool` a function. */
export function define(signature: string, run: Run): Overload {
  const parts = /^(?:(.+) -> )?([^(]+)\((.*)\): (.+)$/.exec(signature)
  if (!parts) throw new TypeError(`not a signature: ${signature}`)
  const [, receiver, name = '', args = '', result = ''] = parts
  const params = [...(receiver === undefined ? [] : [receiver]), ...split(args)].map(typeOf)
  return { name, isMethod: receiver !== undefined, params, result: typeOf(result), run }
}

function typeOf(text: string): CelType {
  const named = NAMES[text]
  if (named) return named
  const [, kind, inner = ''] = /^(\w+)\((.*)\)$/.exec(text) ?? []
  const [first = '', second = ''] = split(inner)
  if (kind === 'list') return { kind: 'list', item: typeOf(first) }
  if (kind === 'optional') return { kind: 'optional', of: typeOf(first) }
  if (kind === 'map') return { kind: 'map', key: typeOf(first), value: typeOf(second) }
  throw new TypeError(`not a type: ${text}`)
}

/** At the commas outside of brackets. */
function split(text: string): readonly string[] {
  const parts = text.match(/(?:[^,(]|\([^)]*\))+/g) ?? []
  return parts.map((part) => part.trim())
}

/** Whether a value at run time is one of a type, as far as the choice of an overload needs it. */
export function fits(type: CelType, value: CelValue): boolean {
  switch (type.kind) {
    case 'dyn':
    case 'error':
    case 'param':
      return true
    case 'int':
      return typeof value === 'bigint'
    case 'double':
      return typeof value === 'number'
    case 'string':
      return typeof value === 'string'
    case 'bool':
      return typeof value === 'boolean'
    case 'null':
      return value === null
    case 'bytes':
      return value instanceof Uint8Array
    default: {
      const kind = type.kind === 'opaque' ? OPAQUE_KINDS.get(type.name) : type.kind
      return typeof value === 'object' && value !== null && 'kind' in value && value.kind === kind
    }
  }
}
