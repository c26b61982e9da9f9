import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { child, type FieldError, index, invalid, required } from '../schema/field-error.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { dnsSubdomain } from '../schema/names.ts'
import type { KindRules } from './kind-rules.ts'

/** Of both kinds of webhook configurations. */
export function webhookRules(kind: string): KindRules {
  return { defaults: (configuration) => defaultWebhooks(kind, configuration), validate: webhookErrors }
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

function webhookErrors(configuration: ApiObject): readonly FieldError[] {
  const webhooks = configuration['webhooks']
  if (!isJsonArray(webhooks)) return []
  return webhooks.flatMap((webhook, position) => {
    const path = index('webhooks', position)
    return [...webhookNameErrors(at(webhook, 'name'), path), ...clientErrors(webhook, child(path, 'clientConfig'))]
  })
}

function webhookNameErrors(name: Json | undefined, path: string): readonly FieldError[] {
  if (typeof name !== 'string') return []
  const field = child(path, 'name')
  const errors = dnsSubdomain(name).map((text) => invalid(field, name, text))
  const isFull = name.split('.').length >= 3
  return isFull
    ? errors
    : [...errors, invalid(field, name, 'should be a domain with at least three segments separated by dots')]
}

function clientErrors(webhook: Json, path: string): readonly FieldError[] {
  const url = at(webhook, 'clientConfig', 'url')
  const service = at(webhook, 'clientConfig', 'service')
  if ((url === undefined) === (service === undefined))
    return [required(path, 'exactly one of url or service is required')]
  if (typeof url !== 'string') return []
  return URL.canParse(url) && url.startsWith('https://')
    ? []
    : [invalid(child(path, 'url'), url, "'https' is the only allowed URL scheme; desired format: https://host[/path]")]
}
