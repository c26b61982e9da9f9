import type { Json } from '../../../schemas/index.ts'
import { isJsonArray, isJsonObject, isSame } from '../schema/json.ts'

/** A compiled JSONPath: all values it finds, in order. */
export type JsonPath = (value: Json) => readonly Json[]

type Step = (value: Json) => readonly Json[]
const OPERATORS: Readonly<Record<string, (left: Json, right: Json) => boolean>> = {
  '==': isSame,
  '!=': (left, right) => !isSame(left, right),
  '<': (left, right) => compare(left, right, (order) => order < 0),
  '<=': (left, right) => compare(left, right, (order) => order <= 0),
  '>': (left, right) => compare(left, right, (order) => order > 0),
  '>=': (left, right) => compare(left, right, (order) => order >= 0),
}

const NAME = /^\.((?:[^.[\]\\]|\\.)+)/
const QUOTED = /^\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*\]/
const POSITION = /^\[\s*(-?\d+)\s*\]/
const EVERY = /^(\.\*|\[\s*\*\s*\])/
const FILTER =
  /^\[\?\(\s*@((?:\.(?:[^.[\]\\=!<>\s)]|\\.)+)*)\s*(?:(==|!=|<=|>=|<|>)\s*('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s)]+))?\s*\)\]/

/**
 * Compiles the subset of JSONPath that printer columns use: names (with `\.`), `['name']`, positions, `*` and filters
 * such as `[?(@.type=="Ready")]`. Throws a SyntaxError for anything else.
 */
export function parseJsonPath(text: string): JsonPath {
  const inner = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text
  let rest = inner.startsWith('$') ? inner.slice(1) : inner
  const steps: Step[] = []
  while (rest !== '' && rest !== '.') {
    const [step, length] = nextStep(rest, text)
    steps.push(step)
    rest = rest.slice(length)
  }
  return (value) => steps.reduce<readonly Json[]>((found, step) => found.flatMap((each) => step(each)), [value])
}

function nextStep(rest: string, text: string): readonly [Step, number] {
  const every = EVERY.exec(rest)
  if (every) return [everyMember, every[0].length]
  const name = NAME.exec(rest)
  if (name) return [member(unescaped(name[1] ?? '')), name[0].length]
  const quoted = QUOTED.exec(rest)
  if (quoted) return [member(unescaped(quoted[1] ?? quoted[2] ?? '')), quoted[0].length]
  const position = POSITION.exec(rest)
  if (position) return [item(Number(position[1])), position[0].length]
  const filter = FILTER.exec(rest)
  if (filter) return [filterStep(filter[1] ?? '', filter[2], filter[3]), filter[0].length]
  throw new SyntaxError(`"${text}" is an invalid JSON path: unexpected "${rest}"`)
}

function member(name: string): Step {
  return (value) => {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return []
    const found = value[name]
    return found === undefined ? [] : [found]
  }
}

function item(position: number): Step {
  return (value) => {
    const found = isJsonArray(value) ? value.at(position) : undefined
    return found === undefined ? [] : [found]
  }
}

function everyMember(value: Json): readonly Json[] {
  if (isJsonArray(value)) return value
  return isJsonObject(value) ? Object.values(value) : []
}

function filterStep(path: string, operator: string | undefined, literal: string | undefined): Step {
  const left = parseJsonPath(path)
  const test = operator === undefined ? undefined : OPERATORS[operator]
  const right = literal === undefined ? null : parseLiteral(literal)
  return (value) =>
    everyMember(value).filter((each) => {
      const [found] = left(each)
      if (found === undefined) return false
      return test ? test(found, right) : true
    })
}

function parseLiteral(text: string): Json {
  if (/^['"]/.test(text)) return unescaped(text.slice(1, -1))
  if (text === 'true' || text === 'false') return text === 'true'
  return text !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}

function unescaped(text: string): string {
  return text.replaceAll(/\\(.)/g, '$1')
}

function compare(left: Json, right: Json, test: (order: number) => boolean): boolean {
  if (typeof left === 'number' && typeof right === 'number') return test(left - right)
  return typeof left === 'string' && typeof right === 'string' && test(left < right ? -1 : left > right ? 1 : 0)
}
