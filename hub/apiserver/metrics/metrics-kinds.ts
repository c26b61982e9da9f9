import type { ResourceDefinition, StructuralSchema } from '../../kube/resource.ts'

export const METRICS_GROUP = 'metrics.k8s.io'

const METADATA = { type: 'object' } as const
const TIME = { type: 'string', format: 'date-time', description: 'End of the time that was measured.' } as const
const WINDOW = {
  type: 'string',
  description: 'How long was measured, such as 15s: cpu is an average over it.',
} as const
const NAME = { type: 'string', description: 'Name of the container.' } as const
const USAGE: StructuralSchema = {
  type: 'object',
  description: 'What is used: cpu in cores (250m is a quarter of one), memory in bytes that cannot be freed at once.',
  additionalProperties: { 'x-kubernetes-int-or-string': true },
}

/** What is measured of nodes and pods now. Nothing of it is stored. */
export const METRICS_KINDS: readonly ResourceDefinition[] = [
  kind('NodeMetrics', 'nodes', { usage: USAGE }, { cpu: '.usage.cpu', memory: '.usage.memory', window: '.window' }),
  kind(
    'PodMetrics',
    'pods',
    {
      containers: {
        type: 'array',
        description: 'What each container of the pod uses.',
        items: { type: 'object', properties: { name: NAME, usage: USAGE }, required: ['name', 'usage'] },
      },
    },
    { cpu: '.containers[*].usage.cpu', memory: '.containers[*].usage.memory', window: '.window' },
  ),
]

function kind(
  name: string,
  plural: string,
  fields: Readonly<Record<string, StructuralSchema>>,
  columns: Readonly<Record<string, string>>,
): ResourceDefinition {
  return {
    ...{ group: METRICS_GROUP, version: 'v1beta1', kind: name, listKind: `${name}List`, plural, singular: '' },
    ...{ shortNames: [], categories: [], namespaced: plural === 'pods', storage: false, custom: true },
    statusSubresource: false,
    verbs: ['get', 'list'],
    schema: {
      type: 'object',
      description: `How much a ${plural.slice(0, -1)} uses.`,
      properties: {
        apiVersion: { type: 'string' },
        kind: { type: 'string' },
        metadata: METADATA,
        timestamp: TIME,
        window: WINDOW,
        ...fields,
      },
    },
    printerColumns: Object.entries(columns).map(([column, jsonPath]) => ({ name: column, type: 'string', jsonPath })),
  }
}
