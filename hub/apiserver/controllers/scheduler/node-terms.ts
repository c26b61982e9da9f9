import type { Json, JsonObject } from '../../../../schemas/index.ts'
import { arrayAt, isJsonObject, labelsOf, nameOf, objectAt, textAt } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'

type Values = Readonly<Record<string, string>>

/** Whether a node is one that the pod asks for: by `nodeSelector` and by required node affinity. */
export function isWanted(pod: ApiObject, node: ApiObject): boolean {
  const spec = objectAt(pod, 'spec')
  const labels = labelsOf(node)
  const isSelected = Object.entries(objectAt(spec, 'nodeSelector')).every(([key, value]) => labels[key] === value)
  const required = nodeAffinity(spec)['requiredDuringSchedulingIgnoredDuringExecution']
  if (!isSelected || !isJsonObject(required)) return isSelected
  return arrayAt(required, 'nodeSelectorTerms').some((term) => matchesTerm(term, node))
}

/** Sum of the weights of the preferences that a node fulfils. */
export function preference(pod: ApiObject, node: ApiObject): number {
  const preferred = arrayAt(nodeAffinity(objectAt(pod, 'spec')), 'preferredDuringSchedulingIgnoredDuringExecution')
  return preferred.filter(isJsonObject).reduce((sum, { weight, preference: term }) => {
    // An empty preference is one for every node.
    const isMet = isJsonObject(term) && (isEmpty(term) || matchesTerm(term, node))
    return isMet && typeof weight === 'number' ? sum + weight : sum
  }, 0)
}

function nodeAffinity(spec: JsonObject): JsonObject {
  return objectAt(objectAt(spec, 'affinity'), 'nodeAffinity')
}

/** All requirements of a term hold together; a term without any takes no node. */
function matchesTerm(term: Json, node: ApiObject): boolean {
  if (!isJsonObject(term) || isEmpty(term)) return false
  const fields = { 'metadata.name': nameOf(node) }
  return (
    arrayAt(term, 'matchExpressions').every((each) => matches(each, labelsOf(node))) &&
    arrayAt(term, 'matchFields').every((each) => matches(each, fields))
  )
}

function isEmpty(term: JsonObject): boolean {
  return arrayAt(term, 'matchExpressions').length + arrayAt(term, 'matchFields').length === 0
}

function matches(requirement: Json, values: Values): boolean {
  if (!isJsonObject(requirement)) return false
  const value = values[textAt(requirement, 'key')]
  const wanted = arrayAt(requirement, 'values').map(String)
  switch (textAt(requirement, 'operator')) {
    case 'In':
      return value !== undefined && wanted.includes(value)
    case 'NotIn':
      return value === undefined || !wanted.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return compare(value, wanted, (one, other) => one > other)
    case 'Lt':
      return compare(value, wanted, (one, other) => one < other)
    default:
      return false
  }
}

function compare(value: string | undefined, [bound = '']: readonly string[], test: (a: bigint, b: bigint) => boolean) {
  const isWhole = (text: string) => /^-?\d{1,18}$/.test(text)
  return value !== undefined && isWhole(value) && isWhole(bound) && test(BigInt(value), BigInt(bound))
}
