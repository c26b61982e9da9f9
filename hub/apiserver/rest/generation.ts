import type { JsonObject } from '../../../schemas/index.ts'
import { objectAt, sameJson, withFields } from '../../kube/object/index.ts'
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
  return !definition.custom && definition.kind === 'Deployment'
    ? { ...intent, annotations: ownAnnotations(metadata) }
    : intent
}

/** Kubernetes counts changes of a deployment's annotations, too, but for those that its controller writes with the status. */
function ownAnnotations(metadata: JsonObject): JsonObject {
  const all = Object.entries(objectAt(metadata, 'annotations'))
  return Object.fromEntries(all.filter(([key]) => !key.startsWith('deployment.kubernetes.io/')))
}
