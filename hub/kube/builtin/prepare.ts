import type { Json, JsonObject } from '../../../schemas/index.ts'
import { prepareCrd } from '../crd/lifecycle.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import { isJsonArray, isJsonObject } from '../schema/json.ts'
import { defaultPod, qosClass } from './pod-defaults.ts'

type Kind = Pick<ResourceDefinition, 'group' | 'kind'>

/**
 * A new object of a built-in kind as Kubernetes stores it: defaults filled in, what only the server says reset.
 * Its name must be known (not still to be generated), as the label of a Namespace repeats it.
 */
export function prepareForCreate(definition: Kind, object: ApiObject): ApiObject {
  const fresh = withDefaults(definition, object)
  if (definition.group === 'apiextensions.k8s.io') return prepareCrd(without(fresh, 'status'))
  if (definition.group !== '') return fresh
  if (definition.kind === 'Namespace') return { ...fresh, status: { phase: 'Active' } }
  if (definition.kind === 'Pod') return { ...fresh, status: { phase: 'Pending', qosClass: qosClass(fresh) } }
  return fresh
}

/** A changed object as Kubernetes stores it. What must not change is refused by validateBuiltin. */
export function prepareForUpdate(definition: Kind, object: ApiObject, old: ApiObject): ApiObject {
  const next = withDefaults(definition, object)
  if (definition.group === 'apiextensions.k8s.io') return prepareCrd(next)
  if (definition.group === '' && definition.kind === 'Namespace') {
    // Only the finalize subresource takes finalizers off a namespace.
    return { ...next, spec: old['spec'] ?? { finalizers: ['kubernetes'] } }
  }
  return next
}

function withDefaults({ group, kind }: Kind, object: ApiObject): ApiObject {
  if (group === 'admissionregistration.k8s.io') return defaultWebhooks(kind, object)
  if (group !== '') return object
  if (kind === 'Namespace') return defaultNamespace(object)
  if (kind === 'Secret') return defaultSecret(object)
  return kind === 'Pod' ? defaultPod(object) : object
}

function defaultNamespace(namespace: ApiObject): ApiObject {
  const { name, labels } = namespace.metadata
  const spec = isJsonObject(namespace['spec']) ? namespace['spec'] : {}
  const own = typeof name === 'string' && name !== '' ? { 'kubernetes.io/metadata.name': name } : {}
  return {
    ...namespace,
    metadata: { ...namespace.metadata, labels: { ...(isJsonObject(labels) ? labels : {}), ...own } },
    spec: { ...spec, finalizers: spec['finalizers'] ?? ['kubernetes'] },
  }
}

/** `stringData` is for writing only: it becomes `data`. */
function defaultSecret(secret: ApiObject): ApiObject {
  const { stringData } = secret
  const typed: ApiObject = { ...secret, type: secret['type'] || 'Opaque' }
  if (!isJsonObject(stringData)) return typed
  const encoded: Record<string, Json> = {}
  for (const [key, value] of Object.entries(stringData)) encoded[key] = Buffer.from(String(value)).toString('base64')
  const data = isJsonObject(secret['data']) ? secret['data'] : {}
  return without({ ...typed, data: { ...data, ...encoded } }, 'stringData')
}

function defaultWebhooks(kind: string, configuration: ApiObject): ApiObject {
  const { webhooks } = configuration
  if (!isJsonArray(webhooks)) return configuration
  return { ...configuration, webhooks: webhooks.map((webhook) => defaultWebhook(kind, webhook)) }
}

function defaultWebhook(kind: string, webhook: Json): Json {
  if (!isJsonObject(webhook)) return webhook
  const client = webhook['clientConfig']
  const service = isJsonObject(client) ? client['service'] : undefined
  const rules = webhook['rules']
  return {
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    timeoutSeconds: 10,
    ...(kind === 'MutatingWebhookConfiguration' ? { reinvocationPolicy: 'Never' } : {}),
    ...webhook,
    ...(isJsonObject(client) && isJsonObject(service)
      ? { clientConfig: { ...client, service: { port: 443, ...service } } }
      : {}),
    ...(isJsonArray(rules)
      ? { rules: rules.map((rule) => (isJsonObject(rule) ? { scope: '*', ...rule } : rule)) }
      : {}),
  }
}

function without(object: ApiObject, key: string): ApiObject {
  const { apiVersion, kind, metadata, ...rest } = object
  const kept: JsonObject = Object.fromEntries(Object.entries(rest).filter(([name]) => name !== key))
  return { ...kept, apiVersion, kind, metadata }
}
