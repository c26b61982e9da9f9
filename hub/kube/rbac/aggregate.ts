import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, labelsOf, nameOf, objectAt, sameJson, textAt, withContent } from '../object/access.ts'
import type { ApiObject } from '../resource.ts'
import { type LabelRequirement, matchesLabels } from '../selectors/label-selector.ts'

/** The ClusterRole with the rules of all that its aggregationRule selects; itself where that changes nothing. */
export function aggregated(role: ApiObject, all: readonly ApiObject[]): ApiObject {
  if (!isJsonObject(role['aggregationRule'])) return role
  const selectors = arrayAt(objectAt(role, 'aggregationRule'), 'clusterRoleSelectors').filter(isJsonObject)
  const rules: JsonObject[] = []
  for (const selector of selectors.map(requirementsOf)) {
    for (const other of [...all].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))) {
      if (nameOf(other) === nameOf(role) || !matchesLabels(selector, labelsOf(other))) continue
      for (const rule of arrayAt(other, 'rules').filter(isJsonObject)) {
        if (!rules.some((known) => sameJson(known, rule))) rules.push(rule)
      }
    }
  }
  return sameJson(rules, arrayAt(role, 'rules')) ? role : withContent(role, { rules })
}

function requirementsOf(selector: JsonObject): readonly LabelRequirement[] {
  const equal = Object.entries(objectAt(selector, 'matchLabels')).map(
    ([key, value]): LabelRequirement => ({ key, operator: 'In', values: [String(value)] }),
  )
  const said = arrayAt(selector, 'matchExpressions').filter(isJsonObject)
  return [...equal, ...said.map(requirementOf)]
}

/** What a validated role cannot have selects nothing. */
function requirementOf(said: JsonObject): LabelRequirement {
  const operator = textAt(said, 'operator')
  const values = arrayAt(said, 'values').map(String)
  const known = operator === 'In' || operator === 'NotIn' || operator === 'Exists' || operator === 'DoesNotExist'
  return { key: textAt(said, 'key'), operator: known ? operator : 'In', values: known ? values : [] }
}
