import type { JsonObject } from '../../../schemas/index.ts'
import { entryOf, textAt } from '../object/access.ts'
import { labelValue, qualifiedName } from '../schema/names.ts'
import { badRequest } from '../status.ts'

/** One condition on a label. All requirements of a selector hold together. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'GreaterThan' | 'LessThan'
  readonly values: readonly string[]
}

export type LabelSelector = readonly LabelRequirement[]

const OPERATORS: Readonly<Record<string, LabelRequirement['operator']>> = {
  '=': 'In',
  '==': 'In',
  '!=': 'NotIn',
  in: 'In',
  notin: 'NotIn',
  '>': 'GreaterThan',
  '<': 'LessThan',
}
const BINARY = 'in, notin, =, ==, !=, gt, lt'
const SYMBOLS = /^(?:==|!=|[=!(),<>])/
const WORD = /^[^\s=!(),<>]+/

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>5`. Throws a BadRequest Status, in the words of an API server. */
export function parseLabelSelector(text: string): LabelSelector {
  const tokens = new Tokens(text)
  const requirements: LabelRequirement[] = []
  if (tokens.peek() === '') return requirements
  for (;;) {
    requirements.push(requirementOf(tokens))
    const next = tokens.take()
    if (next === '') return requirements
    if (next !== ',') throw badRequest(`found '${next}', expected: ',' or 'end of string'`)
    const after = tokens.peek()
    if (!isWord(after) && after !== '!') throw badRequest(`found '${after}', expected: identifier after ','`)
  }
}

export function matchesLabels(selector: LabelSelector, labels: JsonObject): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? textAt(labels, key) : undefined
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    if (operator === 'GreaterThan' || operator === 'LessThan') return isBeyond(value, operator, values[0])
    const isListed = value !== undefined && values.includes(value)
    return operator === 'In' ? isListed : !isListed
  })
}

function isBeyond(value: string | undefined, operator: 'GreaterThan' | 'LessThan', bound = ''): boolean {
  if (value === undefined || !/^[+-]?\d+$/.test(value)) return false
  return operator === 'GreaterThan' ? Number(value) > Number(bound) : Number(value) < Number(bound)
}

/** Words and symbols of a selector; an empty text is its end. */
class Tokens {
  #rest: string

  constructor(text: string) {
    this.#rest = text.trimStart()
  }

  peek(): string {
    return SYMBOLS.exec(this.#rest)?.[0] ?? WORD.exec(this.#rest)?.[0] ?? ''
  }

  take(): string {
    const token = this.peek()
    this.#rest = this.#rest.slice(token.length).trimStart()
    return token
  }
}

function requirementOf(tokens: Tokens): LabelRequirement {
  const isNegated = tokens.peek() === '!'
  if (isNegated) tokens.take()
  const key = tokens.take()
  if (!isWord(key)) throw unparsable(`found '${key}', expected: identifier`)
  checkKey(key)
  const next = tokens.peek()
  if (isNegated || next === '' || next === ',') {
    return { key, operator: isNegated ? 'DoesNotExist' : 'Exists', values: [] }
  }
  const named = tokens.take()
  const operator = entryOf(OPERATORS, named)
  if (!operator) throw unparsable(`found '${named}', expected: ${BINARY}`)
  const values = named === 'in' || named === 'notin' ? listOf(tokens) : [exactOf(tokens)]
  for (const [position, value] of values.entries()) checkValue(key, operator, position, value)
  return { key, operator, values }
}

/** `(a,b)`; an empty item is an empty value. */
function listOf(tokens: Tokens): readonly string[] {
  const open = tokens.take()
  if (open !== '(') throw unparsable(`found '${open}' expected: '('`)
  const values: string[] = []
  for (let isFirst = true; ; isFirst = false) {
    const token = tokens.take()
    if (token === ')') return [...new Set(values.length === 0 ? [''] : values)].sort()
    const next = tokens.peek()
    if (token === ',') {
      if (values.length === 0 || next === ')' || next === ',') values.push('')
    } else if (!isWord(token))
      throw unparsable(`found '${token}', expected: ','${isFirst ? ", ')'" : ','} or identifier`)
    else if (next === ',' || next === ')') values.push(token)
    else throw unparsable(`found '${next}', expected: ',' or ')'`)
  }
}

function exactOf(tokens: Tokens): string {
  const next = tokens.peek()
  if (next === '' || next === ',') return ''
  const value = tokens.take()
  if (isWord(value)) return value
  throw unparsable(`found '${value}', expected: identifier`)
}

function checkKey(key: string): void {
  const [wrong] = qualifiedName(key)
  if (wrong !== undefined) throw unparsable(`<nil>: Invalid value: ${JSON.stringify(key)}: ${wrong}`)
}

function checkValue(key: string, operator: LabelRequirement['operator'], position: number, value: string): void {
  const path = `values[${position}][${key}]`
  if ((operator === 'GreaterThan' || operator === 'LessThan') && !/^[+-]?\d+$/.test(value)) {
    const why = "for 'Gt', 'Lt' operators, the value must be an integer"
    throw unparsable(`values[${position}]: Invalid value: ${JSON.stringify(value)}: ${why}`)
  }
  const [wrong] = labelValue(value)
  if (wrong !== undefined) throw unparsable(`${path}: Invalid value: ${JSON.stringify(value)}: ${wrong}`)
}

function isWord(token: string): boolean {
  return token !== '' && WORD.test(token)
}

function unparsable(why: string): Error {
  return badRequest(`unable to parse requirement: ${why}`)
}
