import { labelValue, qualifiedName } from '../schema/names.ts'
import { badRequest } from '../status.ts'

/** One condition on a label. All requirements of a selector hold together. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values: readonly string[]
}

export type LabelSelector = readonly LabelRequirement[]

/** Parses `a=b,c!=d,e in (f,g),h notin (i),j,!k`. Throws a BadRequest Status. */
export function parseLabelSelector(text: string): LabelSelector {
  return splitOutsideParentheses(text).map((part) => parseRequirement(part.trim()))
}

export function matchesLabels(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined
    if (operator === 'Exists') return value !== undefined
    if (operator === 'DoesNotExist') return value === undefined
    const isListed = value !== undefined && values.includes(value)
    return operator === 'In' ? isListed : !isListed
  })
}

function splitOutsideParentheses(text: string): readonly string[] {
  if (text.trim() === '') return []
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') depth++
    else if (text[at] === ')') depth--
    else if (text[at] === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}

function parseRequirement(text: string): LabelRequirement {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(text)
  if (set) {
    const values = (set[3] ?? '').split(',').map((value) => value.trim())
    return requirement(text, set[1] ?? '', set[2] === 'in' ? 'In' : 'NotIn', values)
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)$/.exec(text)
  if (equality) {
    return requirement(text, equality[1] ?? '', equality[2] === '!=' ? 'NotIn' : 'In', [equality[3] ?? ''])
  }
  const presence = /^(!?)\s*([^\s=!]+)$/.exec(text)
  if (presence) return requirement(text, presence[2] ?? '', presence[1] === '!' ? 'DoesNotExist' : 'Exists', [])
  throw unparsable(text)
}

function requirement(
  text: string,
  key: string,
  operator: LabelRequirement['operator'],
  values: readonly string[],
): LabelRequirement {
  const wrong = [...qualifiedName(key), ...values.flatMap(labelValue)]
  if (wrong.length > 0) throw unparsable(text)
  return { key, operator, values }
}

function unparsable(text: string): Error {
  return badRequest(`unable to parse requirement: found '${text}', expected a label selector such as a=b,c in (d,e)`)
}
