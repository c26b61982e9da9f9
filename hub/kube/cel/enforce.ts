import type { Json, JsonObject } from '../../../schemas/index.ts'
import type { ApiObject, ResourceDefinition, StructuralSchema } from '../resource.ts'
import { listItemsByKey } from '../schema/correlate.ts'
import { child, type FieldError, forbidden, index, invalid, required } from '../schema/field-error.ts'
import { isJsonArray, isJsonObject, isSame } from '../schema/json.ts'
import { Budget, MOST_OF_OBJECT, MOST_OF_RULE } from './budget.ts'
import { declaredType } from './declared.ts'
import { BudgetError, CelError } from './errors.ts'
import type { CompiledRule, Rule } from './rules.ts'
import { type Validator, validatorOf } from './validator.ts'
import { type CelValue, typedValue } from './values.ts'

export interface RuleOutcome {
  readonly errors: readonly FieldError[]
  /** Errors of parts that this update did not change: they are said, and let pass. */
  readonly tolerated: readonly FieldError[]
}

/** A hostile object must not make an answer of its own size. */
const MOST_ERRORS = 100
const LONGEST_MESSAGE = 5 * 1024
const OUT_OF_BUDGET = 'validation failed due to running out of cost budget, no further validation rules will be run'

/** What the rules of the kind (x-kubernetes-validations) say of an object that fits its schema. */
export function enforceRules(
  definition: Pick<ResourceDefinition, 'schema'>,
  object: ApiObject,
  before: ApiObject | undefined,
): RuleOutcome {
  const validator = definition.schema && validatorOf(definition.schema)
  if (!validator) return { errors: [], tolerated: [] }
  const run = new Enforcement()
  run.visit(validator, object, before, { path: '', isUnchanged: () => false })
  return { errors: run.errors, tolerated: run.tolerated }
}

/** Whether any part of the kind has rules. */
export function hasRules({ schema }: Pick<ResourceDefinition, 'schema'>): boolean {
  return schema !== undefined && validatorOf(schema) !== undefined
}

interface Place {
  readonly path: string
  /** Of the nearest part around this one that has a former self. */
  readonly isUnchanged: () => boolean
}

class Enforcement {
  readonly errors: FieldError[] = []
  readonly tolerated: FieldError[] = []
  #left = MOST_OF_OBJECT
  #isOver = false

  visit(validator: Validator, value: Json, old: Json | undefined, around: Place): void {
    if (this.#isOver || value === null) return
    const before = old ?? undefined
    const isUnchanged = before === undefined ? around.isUnchanged : once(() => isSame(value, before))
    const here = { path: around.path, isUnchanged }
    this.#runAll(validator, value, before, here)
    for (const each of validator.allOf) this.visit(each, value, old, here)
    if (isJsonArray(value)) this.#visitItems(validator, value, before, here)
    else if (isJsonObject(value)) this.#visitMembers(validator, value, before, here)
  }

  #visitItems(validator: Validator, value: readonly Json[], old: Json | undefined, here: Place): void {
    const { items } = validator
    if (!items) return
    const olds = listItemsByKey(validator.schema, old)
    for (const [position, item] of value.entries()) {
      this.visit(items, item, olds(item), { ...here, path: index(here.path, position) })
    }
  }

  #visitMembers(validator: Validator, value: JsonObject, old: Json | undefined, here: Place): void {
    if (validator.properties.size === 0 && !validator.members) return
    for (const [name, member] of Object.entries(value)) {
      const rules = validator.properties.get(name) ?? validator.members
      if (!rules) continue
      const before = isJsonObject(old) && Object.hasOwn(old, name) ? old[name] : undefined
      const path = validator.properties.has(name) ? child(here.path, name) : `${here.path}[${name}]`
      this.visit(rules, member, before, { ...here, path })
    }
  }

  #runAll(validator: Validator, value: Json, old: Json | undefined, here: Place): void {
    for (const compiled of validator.rules) {
      if (this.#isOver) return
      const isOptional = compiled.rule.optionalOldSelf === true
      if (!compiled.program || (compiled.usesOldSelf && old === undefined && !isOptional)) continue
      this.#run(validator, compiled, value, old, here)
    }
  }

  #run(validator: Validator, compiled: CompiledRule, value: Json, old: Json | undefined, here: Place): void {
    const { rule, program } = compiled
    const budget = new Budget(MOST_OF_RULE)
    const type = String(validator.schema.type ?? (validator.isRoot ? 'object' : ''))
    const complain = (detail: string) => this.errors.push(invalid(named(here.path), type, detail))
    try {
      const scope = scopeOf(validator, rule, value, old)
      if (program?.run(scope, budget) === true) return
      const detail = this.#message(compiled, scope) ?? (rule.message.trim() || `failed rule: ${rule.rule.trim()}`)
      const error = errorOf(rule, pathOf(here.path, compiled), value, validator.schema, detail)
      if (!compiled.usesOldSelf && here.isUnchanged()) this.tolerated.push(error)
      else this.errors.push(error)
      if (this.errors.length >= MOST_ERRORS) this.#isOver = true
    } catch (error) {
      const shown = rule.message.trim() || rule.rule.trim()
      if (error instanceof BudgetError) {
        complain(
          `'${error.message}': no further validation rules will be run due to call cost exceeds limit for rule: ${shown}`,
        )
        this.#isOver = true
      } else if (error instanceof CelError) {
        const isMismatch = error.message.startsWith('no such overload')
        const why = 'call arguments did not match a supported operator, function or macro signature for rule'
        complain(isMismatch ? `'${error.message}': ${why}: ${shown}` : `${error.message} evaluating rule: ${shown}`)
      } else throw error
    } finally {
      this.#left -= budget.spent
      if (this.#left < 0 && !this.#isOver) {
        complain(OUT_OF_BUDGET)
        this.#isOver = true
      }
    }
  }

  /** The text that the rule makes for this value; undefined where it makes none that can be shown. */
  #message({ messageProgram }: CompiledRule, scope: ReadonlyMap<string, CelValue>): string | undefined {
    if (!messageProgram) return undefined
    const budget = new Budget(MOST_OF_RULE)
    try {
      const value = messageProgram.run(scope, budget)
      const text = typeof value === 'string' ? value.trim() : ''
      return text === '' || text.includes('\n') || Buffer.byteLength(text) > LONGEST_MESSAGE ? undefined : text
    } catch (error) {
      if (error instanceof CelError || error instanceof BudgetError) return undefined
      throw error
    } finally {
      this.#left -= budget.spent
    }
  }
}

function scopeOf(
  { schema, isRoot }: Validator,
  rule: Rule,
  value: Json,
  old: Json | undefined,
): ReadonlyMap<string, CelValue> {
  const type = declaredType(schema, 'self', isRoot) ?? { kind: 'dyn' }
  const scope = new Map([['self', typedValue(value, type)]])
  if (rule.optionalOldSelf === true) {
    scope.set('oldSelf', { kind: 'optional', value: old === undefined ? undefined : typedValue(old, type) })
  } else if (old !== undefined) scope.set('oldSelf', typedValue(old, type))
  return scope
}

function errorOf(rule: Rule, path: string, value: Json, schema: StructuralSchema, detail: string): FieldError {
  const isLarge = schema.type === 'object' || schema.type === 'array' || typeof value === 'object'
  switch (rule.reason) {
    case 'FieldValueForbidden':
      return forbidden(path, detail)
    case 'FieldValueRequired':
      return required(path, detail)
    case 'FieldValueDuplicate':
      return {
        type: 'FieldValueDuplicate',
        field: path,
        message: isLarge ? 'Duplicate value' : `Duplicate value: ${JSON.stringify(value)}`,
      }
    default:
      return isLarge
        ? { type: 'FieldValueInvalid', field: path, message: `Invalid value: ${detail}` }
        : invalid(path, value, detail)
  }
}

function pathOf(path: string, { path: below }: CompiledRule): string {
  return named(below === undefined ? path : child(path, below))
}

/** The whole object has no name among fields. */
function named(path: string): string {
  return path === '' ? '<nil>' : path
}

function once(ask: () => boolean): () => boolean {
  let answer: boolean | undefined
  return () => {
    answer ??= ask()
    return answer
  }
}
