import type { JsonObject } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { isJsonObject } from '../schema/json.ts'
import type { KindRules } from './kind-rules.ts'

export const NAMESPACE_RULES: KindRules = {
  defaults: defaultNamespace,
  onCreate: (namespace) => ({ ...namespace, spec: specOf(namespace), status: { phase: 'Active' } }),
  // Only the finalize subresource takes finalizers off a namespace.
  onUpdate: (namespace, old) => ({ ...namespace, spec: old['spec'] ?? { finalizers: ['kubernetes'] } }),
}

function defaultNamespace(namespace: ApiObject): ApiObject {
  const { name, labels } = namespace.metadata
  const own = typeof name === 'string' && name !== '' ? { 'kubernetes.io/metadata.name': name } : {}
  return {
    ...namespace,
    metadata: { ...namespace.metadata, labels: { ...(isJsonObject(labels) ? labels : {}), ...own } },
  }
}

function specOf(namespace: ApiObject): JsonObject {
  const spec = isJsonObject(namespace['spec']) ? namespace['spec'] : {}
  return { ...spec, finalizers: spec['finalizers'] ?? ['kubernetes'] }
}
