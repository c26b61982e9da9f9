import type { Budget } from './budget.ts'
import { type Checked, namespaced } from './check.ts'
import { BudgetError, CelError } from './errors.ts'
import { typeName } from './library/conversions.ts'
import { overloadsOf } from './library/functions.ts'
import { fits, type Overload } from './library/signature.ts'
import type { Fold, Node } from './syntax.ts'
import { type CelValue, fieldOf, isBoxed, listValue, type MapValue, mapValue, membersOf } from './values.ts'

export type Scope = ReadonlyMap<string, CelValue>

const TYPES = new Set(['int', 'uint', 'double', 'bool', 'string', 'bytes', 'null_type', 'list', 'map', 'type'])

/** Runs an expression that was checked. Throws a CelError, or a BudgetError when it is too long at it. */
export function evaluate(node: Node, checked: Checked, scope: Scope, budget: Budget): CelValue {
  return new Run(checked, budget).valueOf(node, scope)
}

class Run {
  readonly #checked: Checked
  readonly #budget: Budget

  constructor(checked: Checked, budget: Budget) {
    this.#checked = checked
    this.#budget = budget
  }

  valueOf(node: Node, scope: Scope): CelValue {
    switch (node.op) {
      case 'literal':
        return node.value
      case 'name':
        return this.#name(node.name, scope)
      case 'select':
        return this.#select(node, scope)
      case 'call':
        return this.#call(node, scope)
      case 'list':
        this.#budget.spend(10 + node.items.length)
        return listValue(node.items.map((each) => this.valueOf(each, scope)))
      case 'map':
        this.#budget.spend(30 + node.entries.length)
        return mapValue(node.entries.map(([key, value]) => [this.valueOf(key, scope), this.valueOf(value, scope)]))
      case 'and':
        return !this.#either(node.left, node.right, scope, false)
      case 'or':
        return this.#either(node.left, node.right, scope, true)
      case 'if':
        return this.valueOf(this.#bool(node.test, scope) ? node.yes : node.no, scope)
      case 'fold':
        return this.#fold(node, scope)
    }
  }

  #name(name: string, scope: Scope): CelValue {
    this.#budget.spend(1)
    const value = scope.get(name)
    if (value !== undefined) return value
    if (TYPES.has(name)) return { kind: 'type', name }
    throw new CelError(`no such attribute(s): ${name}`)
  }

  #select(node: Extract<Node, { readonly op: 'select' }>, scope: Scope): CelValue {
    const of = this.valueOf(node.of, scope)
    this.#budget.spend(1)
    const isMaybe = isBoxed(of) && of.kind === 'optional'
    const inner = isMaybe ? of.value : of
    const found = inner === undefined ? undefined : member(inner, node.field)
    if (node.mode === 'has') return found !== undefined
    if (isMaybe || node.mode === 'optional') {
      return found === undefined ? { kind: 'optional', value: undefined } : wrapped(found)
    }
    if (found === undefined) throw new CelError(`no such key: ${node.field}`)
    return found
  }

  #call(node: Extract<Node, { readonly op: 'call' }>, scope: Scope): CelValue {
    this.#budget.spend(1)
    const spaced = namespaced(node)
    const isSpaced = spaced !== undefined && overloadsOf(spaced).length > 0
    const operands = node.target && !isSpaced ? [node.target, ...node.args] : node.args
    const args = operands.map((each) => this.valueOf(each, scope))
    const choices = this.#checked.choices.get(node) ?? []
    const [first] = args
    if (node.name.startsWith('_[') && first !== undefined && isOptional(first)) {
      if (first.value === undefined) return first
      return wrapped(this.#run(choices, [first.value, ...args.slice(1)]))
    }
    return this.#run(choices, args)
  }

  #run(choices: readonly Overload[], args: readonly CelValue[]): CelValue {
    const [only] = choices
    const chosen =
      choices.length === 1
        ? only
        : choices.find(({ params }) => params.every((param, at) => fits(param, args[at] ?? null)))
    if (!chosen) throw new CelError(`no such overload: (${args.map(typeName).join(', ')})`)
    return chosen.run(args, this.#budget)
  }

  /** Whether one side is `wanted`. What one side cannot say does not matter where the other one decides. */
  #either(left: Node, right: Node, scope: Scope, wanted: boolean): boolean {
    return anyOf([left, right].map((each) => () => this.#bool(each, scope) === wanted))
  }

  #bool(node: Node, scope: Scope): boolean {
    const value = this.valueOf(node, scope)
    if (typeof value !== 'boolean') throw new CelError('no such overload')
    return value
  }

  #fold(node: Fold, scope: Scope): CelValue {
    const of = this.valueOf(node.of, scope)
    if (node.kind === 'optMap' || node.kind === 'optFlatMap') return this.#optional(node, of, scope)
    const steps = this.#steps(node, of, scope)
    const { when, make } = node
    switch (node.kind) {
      case 'all':
        return !anyOf(mapped(steps, (inner) => () => make !== undefined && !this.#bool(make, inner)))
      case 'exists':
        return anyOf(mapped(steps, (inner) => () => make !== undefined && this.#bool(make, inner)))
      case 'existsOne':
        return [...steps].filter(({ inner }) => make && this.#bool(make, inner)).length === 1
      default: {
        const kept = [...steps].filter(({ inner }) => !when || this.#bool(when, inner))
        if (node.kind === 'filter') return listValue(kept.map(({ value }) => value))
        const made = kept.map(({ key, inner }) => [key, make ? this.valueOf(make, inner) : null] as const)
        if (node.kind === 'map') return listValue(made.map(([, value]) => value))
        return mapValue(node.kind === 'transformMap' ? made : made.flatMap(([, value]) => entriesOf(value)))
      }
    }
  }

  *#steps(node: Fold, of: CelValue, scope: Scope): Generator<Step> {
    const [first = '', second] = node.names
    for (const [key, value] of pairs(of)) {
      this.#budget.spend(1)
      const single = isBoxed(of) && of.kind === 'map' ? key : value
      const inner = new Map(scope).set(first, second === undefined ? single : key)
      if (second !== undefined) inner.set(second, value)
      yield { key, value: single, inner }
    }
  }

  #optional(node: Fold, of: CelValue, scope: Scope): CelValue {
    if (!isOptional(of) || of.value === undefined || !node.make) return { kind: 'optional', value: undefined }
    const value = this.valueOf(node.make, new Map(scope).set(node.names[0] ?? '', of.value))
    return node.kind === 'optMap' ? { kind: 'optional', value } : value
  }
}

interface Step {
  readonly key: CelValue
  readonly value: CelValue
  readonly inner: Scope
}

function* mapped(steps: Iterable<Step>, made: (inner: Scope) => () => boolean): Generator<() => boolean> {
  for (const { inner } of steps) yield made(inner)
}

/** True as soon as one is; an error counts only where none is. */
function anyOf(outcomes: Iterable<() => boolean>): boolean {
  let failed: CelError | undefined
  for (const outcome of outcomes) {
    try {
      if (outcome()) return true
    } catch (error) {
      if (error instanceof BudgetError || !(error instanceof CelError)) throw error
      failed ??= error
    }
  }
  if (failed) throw failed
  return false
}

function member(of: CelValue, name: string): CelValue | undefined {
  if (isBoxed(of) && of.kind === 'object') return fieldOf(of, name)
  if (isBoxed(of) && of.kind === 'map') return of.get(name)
  throw new CelError('no such overload')
}

function isOptional(value: CelValue): value is Extract<CelValue, { readonly kind: 'optional' }> {
  return isBoxed(value) && value.kind === 'optional'
}

function wrapped(value: CelValue): CelValue {
  return isOptional(value) ? value : { kind: 'optional', value }
}

function* pairs(of: CelValue): Generator<readonly [CelValue, CelValue]> {
  if (!isBoxed(of)) throw new CelError('no such overload')
  if (of.kind === 'map') for (const key of of.keys) yield [key, of.get(key) ?? null]
  else if (of.kind === 'list') {
    let position = 0n
    for (const value of membersOf(of)) yield [position++, value]
  } else throw new CelError('no such overload')
}

function entriesOf(value: CelValue): readonly (readonly [CelValue, CelValue])[] {
  if (!isBoxed(value) || value.kind !== 'map') throw new CelError('no such overload')
  const map: MapValue = value
  return map.keys.map((key) => [key, map.get(key) ?? null] as const)
}
