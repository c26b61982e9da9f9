import type { JsonObject } from '../../../schemas/index.ts'
import { sameJson, withFields } from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'

/** Built-in kinds that count the changes of their intent; all custom ones do. */
const COUNTING: ReadonlySet<string> = new Set([
  'Pod',
  'CustomResourceDefinition',
  'ValidatingWebhookConfiguration',
  'MutatingWebhookConfiguration',
  'Deployment',
  'ReplicaSet',
  'DaemonSet',
  'Job',
  'NetworkPolicy',
  'PodDisruptionBudget',
  'EndpointSlice',
])

export function hasGeneration({ custom, kind }: ResourceDefinition): boolean {
  return custom || COUNTING.has(kind)
}

/** The generation after an update: one more when anything but metadata and (where it is apart) status changed. */
export function nextGeneration(definition: ResourceDefinition, next: ApiObject, before: ApiObject): number | undefined {
  const generation = before.metadata['generation']
  if (!hasGeneration(definition)) return typeof generation === 'number' ? generation : undefined
  const count = typeof generation === 'number' ? generation : 1
  return sameJson(intentOf(definition, next), intentOf(definition, before)) ? count : count + 1
}

function intentOf(definition: ResourceDefinition, object: ApiObject): JsonObject {
  const { apiVersion: _version, kind: _kind, metadata, ...content } = object
  const intent = definition.statusSubresource ? withFields(content, { status: undefined }) : content
  // Of deployments Kubernetes counts changes of annotations, too.
  return !definition.custom && definition.kind === 'Deployment'
    ? { ...intent, annotations: metadata['annotations'] ?? {} }
    : intent
}
