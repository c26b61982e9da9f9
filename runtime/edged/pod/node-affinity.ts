import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isObject, listIn, objectIn, textIn } from './json.ts'
import type { Labels } from './pod.ts'

/** What a pod may ask of a node. */
export interface NodeIdentity {
  readonly name: string
  readonly labels: Labels
}

/** Whether a pod with this spec may run on the node, by its nodeSelector and its required node affinity (Kubernetes, NodeSelector). */
export function suitsNode(spec: JsonObject, node: NodeIdentity): boolean {
  const selected = Object.entries(objectIn(spec, 'nodeSelector'))
  if (!selected.every(([key, value]) => labelOf(node.labels, key) === value)) return false
  const required = objectIn(objectIn(spec, 'affinity'), 'nodeAffinity')[
    'requiredDuringSchedulingIgnoredDuringExecution'
  ]
  if (!isObject(required)) return true
  return listIn(required, 'nodeSelectorTerms').some((term) => suitsTerm(term, node))
}

/** An empty term suits no node. */
function suitsTerm(term: Json, { name, labels }: NodeIdentity): boolean {
  const expressions = listIn(term, 'matchExpressions')
  const fields = listIn(term, 'matchFields')
  if (expressions.length + fields.length === 0) return false
  return (
    expressions.every((each) => holds(each, labelOf(labels, textIn(each, 'key') ?? ''))) &&
    fields.every((each) => holdsOfField(each, name))
  )
}

function holds(requirement: Json, label: string | undefined): boolean {
  const values = listIn(requirement, 'values').map(String)
  switch (textIn(requirement, 'operator')) {
    case 'In':
      return label !== undefined && values.includes(label)
    case 'NotIn':
      return values.length > 0 && (label === undefined || !values.includes(label))
    case 'Exists':
      return values.length === 0 && label !== undefined
    case 'DoesNotExist':
      return values.length === 0 && label === undefined
    case 'Gt':
      return compared(label, values, (own, given) => own > given)
    case 'Lt':
      return compared(label, values, (own, given) => own < given)
    default:
      return false
  }
}

/** The only field of nodes that pods may name; of this node alone, or of all others. */
function holdsOfField(requirement: Json, name: string): boolean {
  const [value, ...more] = listIn(requirement, 'values')
  if (textIn(requirement, 'key') !== 'metadata.name' || value === undefined || more.length > 0) return false
  const operator = textIn(requirement, 'operator')
  return operator === 'In' ? value === name : operator === 'NotIn' && value !== name
}

function compared(
  label: string | undefined,
  values: readonly string[],
  isSo: (a: bigint, b: bigint) => boolean,
): boolean {
  const [own, given, ...more] = [label ?? '', ...values]
  if (own === undefined || given === undefined || more.length > 0) return false
  return [own, given].every((text) => /^[+-]?\d{1,19}$/.test(text)) && isSo(BigInt(own), BigInt(given))
}

function labelOf(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}
