import { overloadsOf } from './library/functions.ts'
import type { Overload } from './library/signature.ts'
import { patternOf } from './regex.ts'
import type { Fold, Issue, Node } from './syntax.ts'
import {
  type Bindings,
  BOOL,
  type CelType,
  DYN,
  ERROR,
  INT,
  isAnything,
  isAssignable,
  joined,
  resolved,
  STRING,
  typeText,
} from './types.ts'
import { isBoxed } from './values.ts'

/** What the compiler found out about an expression. */
export interface Checked {
  readonly type: CelType
  readonly issues: readonly Issue[]
  /** Which ways of a call fit its arguments; by node, because texts may be equal. */
  readonly choices: ReadonlyMap<Node, readonly Overload[]>
  readonly types: ReadonlyMap<Node, CelType>
  /** Variables that it reads. */
  readonly names: ReadonlySet<string>
}

export type Variables = ReadonlyMap<string, CelType>

const TYPE_NAMES: Readonly<Record<string, CelType>> = {
  int: INT,
  uint: { kind: 'uint' },
  double: { kind: 'double' },
  bool: BOOL,
  string: STRING,
  bytes: { kind: 'bytes' },
  null_type: { kind: 'null' },
  list: { kind: 'list', item: DYN },
  map: { kind: 'map', key: DYN, value: DYN },
  type: { kind: 'type', of: DYN },
}

/** Finds the type of an expression and everything in it that cannot be. */
export function check(node: Node, variables: Variables): Checked {
  const checker = new Checker()
  const type = checker.typeOf(node, variables)
  const issues = checker.issues.toSorted((one, other) => one.at - other.at)
  return { type, issues, choices: checker.choices, types: checker.types, names: checker.names }
}

class Checker {
  readonly issues: Issue[] = []
  readonly choices = new Map<Node, readonly Overload[]>()
  readonly types = new Map<Node, CelType>()
  readonly names = new Set<string>()

  typeOf(node: Node, scope: Variables): CelType {
    const type = this.#typeOf(node, scope)
    this.types.set(node, type)
    return type
  }

  #typeOf(node: Node, scope: Variables): CelType {
    switch (node.op) {
      case 'literal':
        return literalType(node.value)
      case 'name':
        return this.#name(node, scope)
      case 'select':
        return this.#select(node, scope)
      case 'call':
        return this.#call(node, scope)
      case 'list':
        return { kind: 'list', item: this.#same(node.items, scope) }
      case 'map':
        return {
          kind: 'map',
          key: this.#same(
            node.entries.map(([key]) => key),
            scope,
          ),
          value: this.#same(
            node.entries.map(([, value]) => value),
            scope,
          ),
        }
      case 'and':
      case 'or':
        this.#expectBool(node.left, scope)
        this.#expectBool(node.right, scope)
        return BOOL
      case 'if':
        return this.#condition(node, scope)
      case 'fold':
        return this.#fold(node, scope)
    }
  }

  #name(node: Extract<Node, { readonly op: 'name' }>, scope: Variables): CelType {
    const type = scope.get(node.name)
    if (type) {
      this.names.add(node.name)
      return type
    }
    const named = Object.hasOwn(TYPE_NAMES, node.name) ? TYPE_NAMES[node.name] : undefined
    return named ? { kind: 'type', of: named } : this.#fail(node.at, undeclared(node.name))
  }

  #select(node: Extract<Node, { readonly op: 'select' }>, scope: Variables): CelType {
    const of = this.typeOf(node.of, scope)
    const inner = of.kind === 'optional' ? of.of : of
    const isMaybe = node.mode === 'optional' || of.kind === 'optional'
    const found = this.#member(node, inner)
    if (node.mode === 'has') return found.kind === 'error' ? ERROR : BOOL
    return isMaybe && found.kind !== 'error' ? { kind: 'optional', of: found } : found
  }

  #member(node: Extract<Node, { readonly op: 'select' }>, of: CelType): CelType {
    if (isAnything(of)) return of
    if (of.kind === 'map') return of.value
    if (of.kind === 'object') {
      return of.fields.get(node.field)?.type ?? this.#fail(node.at, `undefined field '${node.field}'`)
    }
    return this.#fail(node.at, `type '${typeText(of)}' does not support field selection`)
  }

  #call(node: Extract<Node, { readonly op: 'call' }>, scope: Variables): CelType {
    const spaced = namespaced(node)
    if (spaced !== undefined && overloadsOf(spaced).length > 0) {
      const args = node.args.map((each) => this.typeOf(each, scope))
      return this.#choose(node, spaced, args, false)
    }
    const { target } = node
    const types = [...(target ? [target] : []), ...node.args].map((each) =>
      node.name === 'format' && each.op === 'list' ? this.#mixed(each, scope) : this.typeOf(each, scope),
    )
    if (overloadsOf(node.name).length === 0) return this.#fail(node.at, undeclared(node.name))
    return this.#choose(node, node.name, types, target !== undefined)
  }

  #choose(
    node: Extract<Node, { readonly op: 'call' }>,
    name: string,
    types: readonly CelType[],
    isMethod: boolean,
  ): CelType {
    const args = name === '_[_]' || name === '_[?_]' ? opened(types) : types
    const isMaybe = args !== types
    const found = overloadsOf(name).flatMap((overload) => {
      const bindings: Bindings = new Map()
      if (overload.isMethod !== isMethod || overload.params.length !== args.length) return []
      const fit = overload.params.every((param, index) => isAssignable(param, args[index] ?? ERROR, bindings))
      return fit ? [{ overload, result: resolved(overload.result, bindings) }] : []
    })
    const [first, ...others] = found
    if (!first) {
      return types.some((each) => each.kind === 'error')
        ? ERROR
        : this.#fail(node.at, mismatchText(name, types, isMethod))
    }
    this.choices.set(
      node,
      found.map(({ overload }) => overload),
    )
    this.#checkPattern(node, name)
    const result = others.every((each) => typeText(each.result) === typeText(first.result)) ? first.result : DYN
    if (name === 'type') return { kind: 'type', of: types[0] ?? DYN }
    return isMaybe && result.kind !== 'optional' ? { kind: 'optional', of: result } : result
  }

  /** Regular expressions that stand in the rule are tried when it is made. */
  #checkPattern(node: Extract<Node, { readonly op: 'call' }>, name: string): void {
    if (name !== 'matches' && name !== 'find' && name !== 'findAll') return
    const source = node.target ? node.args[0] : node.args[1]
    if (source?.op !== 'literal' || typeof source.value !== 'string' || patternOf(source.value)) return
    this.#fail(source.at, `invalid ${name} argument`)
  }

  #condition(node: Extract<Node, { readonly op: 'if' }>, scope: Variables): CelType {
    this.#expectBool(node.test, scope)
    const [yes, no] = [this.typeOf(node.yes, scope), this.typeOf(node.no, scope)]
    return joined(yes, no) ?? this.#fail(node.at, mismatchText('_?_:_', [BOOL, yes, no], false))
  }

  /** What a text is formatted with is of many types. */
  #mixed(node: Extract<Node, { readonly op: 'list' }>, scope: Variables): CelType {
    for (const each of node.items) this.typeOf(each, scope)
    return { kind: 'list', item: DYN }
  }

  #same(nodes: readonly Node[], scope: Variables): CelType {
    let all: CelType | undefined
    for (const node of nodes) {
      const type = this.typeOf(node, scope)
      const both = all ? joined(all, type) : type
      if (both) all = both
      else this.#fail(node.at, expectedText(all ?? DYN, type))
    }
    return all ?? DYN
  }

  #fold(node: Fold, scope: Variables): CelType {
    const of = this.typeOf(node.of, scope)
    if (node.kind === 'optMap' || node.kind === 'optFlatMap') return this.#optional(node, of, scope)
    const members = memberTypes(of, node.names.length)
    if (!members) {
      const what = `expression of type '${typeText(of)}' cannot be range of a comprehension`
      return this.#fail(placeOf(node.of), `${what} (must be list, map, or dynamic)`)
    }
    const inner = new Map(scope)
    for (const [index, name] of node.names.entries()) inner.set(name, members[index] ?? DYN)
    const when = node.when && this.typeOf(node.when, inner)
    const then = node.make && this.typeOf(node.make, inner)
    return this.#folded(node, of, when, then, members)
  }

  #folded(
    node: Fold,
    of: CelType,
    when: CelType | undefined,
    make: CelType | undefined,
    members: readonly CelType[],
  ): CelType {
    const result = make ?? DYN
    if (when && !isBool(when)) {
      const made: CelType = { kind: 'list', item: node.make ? result : (members[0] ?? DYN) }
      this.#fail(node.at, mismatchText('_?_:_', [when, made, made], false))
    }
    switch (node.kind) {
      case 'all':
      case 'exists':
        if (!isBool(result)) this.#fail(node.make ? placeOf(node.make) : node.at, expectedText(BOOL, result))
        return BOOL
      case 'existsOne':
        if (!isBool(result)) this.#fail(node.at, mismatchText('_?_:_', [result, INT, INT], false))
        return BOOL
      case 'transformMap':
        return { kind: 'map', key: of.kind === 'map' ? of.key : of.kind === 'list' ? INT : DYN, value: result }
      case 'transformMapEntry':
        return result.kind === 'map' ? result : DYN
      case 'filter':
        return { kind: 'list', item: members[0] ?? DYN }
      default:
        return { kind: 'list', item: result }
    }
  }

  #optional(node: Fold, of: CelType, scope: Variables): CelType {
    if (of.kind !== 'optional' && !isAnything(of)) {
      this.#fail(node.at, mismatchText('hasValue', [of], true))
      return this.#fail(node.at, mismatchText('value', [of], true))
    }
    const inner = new Map(scope).set(node.names[0] ?? '', of.kind === 'optional' ? of.of : DYN)
    const result = node.make ? this.typeOf(node.make, inner) : DYN
    if (node.kind === 'optMap') return { kind: 'optional', of: result }
    return result.kind === 'optional' || isAnything(result) ? result : this.#fail(node.at, expectedText(of, result))
  }

  #expectBool(node: Node, scope: Variables): void {
    const type = this.typeOf(node, scope)
    if (!isBool(type)) this.#fail(placeOf(node), expectedText(BOOL, type))
  }

  #fail(at: number, message: string): CelType {
    this.issues.push({ at, message })
    return ERROR
  }
}

/** `sets.contains` of `sets.contains(a, b)`: a function whose name has a dot in it. */
export function namespaced(node: Extract<Node, { readonly op: 'call' }>): string | undefined {
  return node.target?.op === 'name' ? `${node.target.name}.${node.name}` : undefined
}

function placeOf(node: Node): number {
  return node.at
}

function isBool(type: CelType): boolean {
  return type.kind === 'bool' || isAnything(type)
}

/** Members of optional lists and maps can be asked for as if they were there. */
function opened(types: readonly CelType[]): readonly CelType[] {
  const [first, ...rest] = types
  return first?.kind === 'optional' ? [first.of, ...rest] : types
}

function memberTypes(of: CelType, names: number): readonly CelType[] | undefined {
  if (isAnything(of)) return [of, of]
  if (of.kind === 'list') return names === 1 ? [of.item] : [INT, of.item]
  return of.kind === 'map' ? [of.key, of.value] : undefined
}

function literalType(value: Extract<Node, { readonly op: 'literal' }>['value']): CelType {
  if (value === null) return { kind: 'null' }
  if (typeof value === 'bigint') return INT
  if (typeof value === 'number') return { kind: 'double' }
  if (typeof value === 'boolean') return BOOL
  return isBoxed(value) ? { kind: 'uint' } : typeof value === 'string' ? STRING : { kind: 'bytes' }
}

function undeclared(name: string): string {
  return `undeclared reference to '${name}' (in container '')`
}

function expectedText(wanted: CelType, given: CelType): string {
  return `expected type '${typeText(wanted)}' but found '${typeText(given)}'`
}

function mismatchText(name: string, types: readonly CelType[], isMethod: boolean): string {
  const [target, ...rest] = types.map(typeText)
  const args = isMethod ? `${target}.(${rest.join(', ')})` : `(${types.map(typeText).join(', ')})`
  return `found no matching overload for '${name}' applied to '${args}'`
}
