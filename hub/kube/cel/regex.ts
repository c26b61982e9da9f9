import { RE2JS, RE2JSException } from 're2js'

/** Expressions are those of RE2, matched in time that grows with the text alone: nobody can make one that never ends. */
export interface Pattern {
  /** What a look at one character may cost, in tenths of a step: large expressions look in many places at once. */
  readonly weight: number
  test(text: string): boolean
  find(text: string): string | undefined
  findAll(text: string, most: number): readonly string[]
}

/** Rules and schemas have few; the rest are texts that an expression made up. */
const MOST_KEPT = 2000
const LONGEST_KEPT = 1000
const kept = new Map<string, Pattern | undefined>()

/** Undefined: not an expression of RE2. */
export function patternOf(source: string): Pattern | undefined {
  if (kept.has(source)) return kept.get(source)
  if (kept.size >= MOST_KEPT) kept.clear()
  const made = compile(source)
  if (source.length <= LONGEST_KEPT) kept.set(source, made)
  return made
}

function compile(source: string): Pattern | undefined {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(source)
  } catch (error) {
    if (error instanceof RE2JSException) return undefined
    throw error
  }
  return {
    weight: 4 + Math.ceil(compiled.programSize() / 4),
    test: (text) => compiled.matcher(text).find(),
    find: (text) => {
      const matcher = compiled.matcher(text)
      return matcher.find() ? (matcher.group() ?? '') : undefined
    },
    findAll: (text, most) => {
      const found: string[] = []
      const matcher = compiled.matcher(text)
      while (found.length < most && matcher.find()) found.push(matcher.group() ?? '')
      return found
    },
  }
}

/** Why a text is no regular expression, as Go says it; undefined for one. */
export function patternError(source: string): string | undefined {
  try {
    RE2JS.compile(source)
    return undefined
  } catch (error) {
    if (error instanceof RE2JSException) return error.message
    throw error
  }
}
