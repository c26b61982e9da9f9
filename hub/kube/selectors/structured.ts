import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt, entryOf, isJsonObject, objectAt, textAt } from '../object/access.ts'
import { type LabelRequirement, type LabelSelector, matchesLabels } from './label-selector.ts'

const OPERATORS: Readonly<Record<string, LabelRequirement['operator']>> = {
  In: 'In',
  NotIn: 'NotIn',
  Exists: 'Exists',
  DoesNotExist: 'DoesNotExist',
}

/** The requirements of a metav1.LabelSelector; those of an unknown operator are left out. */
export function requirementsOf(selector: JsonObject): LabelSelector {
  const equal = Object.entries(objectAt(selector, 'matchLabels')).map(
    ([key, value]) => ({ key, operator: 'In', values: [String(value)] }) as const,
  )
  const expressions = arrayAt(selector, 'matchExpressions')
    .filter(isJsonObject)
    .flatMap((expression) => {
      const operator = entryOf(OPERATORS, textAt(expression, 'operator'))
      if (!operator) return []
      return [{ key: textAt(expression, 'key'), operator, values: arrayAt(expression, 'values').map(String) }]
    })
  return [...equal, ...expressions]
}

/** Whether a metav1.LabelSelector takes these labels: an absent one takes nothing, an empty one everything. */
export function selects(selector: Json | undefined, labels: Readonly<Record<string, string>>): boolean {
  return isJsonObject(selector) && matchesLabels(requirementsOf(selector), labels)
}

/** A metav1.LabelSelector as people write it: `app=web,tier in (a,b)`; empty for one that takes everything. */
export function selectorText(selector: Json | undefined): string {
  if (!isJsonObject(selector)) return ''
  const equal = Object.entries(objectAt(selector, 'matchLabels')).map(
    ([key, value]) => [key, `${key}=${String(value)}`] as const,
  )
  const expressions = arrayAt(selector, 'matchExpressions')
    .filter(isJsonObject)
    .map((each) => [textAt(each, 'key'), expressionText(each)] as const)
  return [...equal, ...expressions]
    .sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0))
    .map(([, text]) => text)
    .join(',')
}

function expressionText(expression: JsonObject): string {
  const key = textAt(expression, 'key')
  const operator = textAt(expression, 'operator')
  if (operator === 'Exists') return key
  if (operator === 'DoesNotExist') return `!${key}`
  const values = arrayAt(expression, 'values').map(String).sort().join(',')
  return `${key} ${operator === 'NotIn' ? 'notin' : 'in'} (${values})`
}
