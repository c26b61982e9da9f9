import type { Json } from '../../../schemas/index.ts'
import type { ApiObject } from '../resource.ts'
import { child, duplicate, type FieldError, index, invalid, notSupported, required } from '../schema/field-error.ts'
import { at, isJsonArray, isJsonObject } from '../schema/json.ts'
import { dnsSubdomain } from '../schema/names.ts'
import type { KindRules } from './kind-rules.ts'
import { ruleErrors } from './webhook-rules.ts'
import { selectorErrors } from './workloads/fields.ts'

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

const POLICIES: readonly (readonly [string, readonly string[]])[] = [
  ['failurePolicy', ['Fail', 'Ignore']],
  ['matchPolicy', ['Equivalent', 'Exact']],
  ['sideEffects', ['None', 'NoneOnDryRun']],
]
const REINVOCATIONS = ['IfNeeded', 'Never']
const REVIEWS = ['v1', 'v1beta1']
const LONGEST_SECONDS = 30

function webhookErrors(configuration: ApiObject): readonly FieldError[] {
  const webhooks = list(configuration['webhooks'])
  return webhooks.flatMap((webhook, position) => {
    const path = index('webhooks', position)
    const name = at(webhook, 'name')
    const isTaken = webhooks.slice(0, position).some((other) => at(other, 'name') === name)
    return [
      ...webhookNameErrors(name, path),
      ...list(at(webhook, 'rules')).flatMap((rule, at) => ruleErrors(rule, index(child(path, 'rules'), at))),
      ...POLICIES.flatMap(([field, known]) => unknownErrors(at(webhook, field), child(path, field), known)),
      ...timeoutErrors(at(webhook, 'timeoutSeconds'), child(path, 'timeoutSeconds')),
      ...unknownErrors(at(webhook, 'reinvocationPolicy'), child(path, 'reinvocationPolicy'), REINVOCATIONS),
      ...['namespaceSelector', 'objectSelector'].flatMap((field) => {
        const selector = at(webhook, field)
        return isJsonObject(selector) ? selectorErrors(selector, child(path, field)) : []
      }),
      ...clientErrors(webhook, child(path, 'clientConfig')),
      ...reviewErrors(list(at(webhook, 'admissionReviewVersions')), child(path, 'admissionReviewVersions')),
      ...(isTaken && name !== undefined ? [duplicate(child(path, 'name'), name)] : []),
    ]
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

function unknownErrors(value: Json | undefined, path: string, known: readonly string[]): readonly FieldError[] {
  return typeof value !== 'string' || known.includes(value) ? [] : [notSupported(path, value, known)]
}

function timeoutErrors(value: Json | undefined, path: string): readonly FieldError[] {
  if (typeof value !== 'number' || (value >= 1 && value <= LONGEST_SECONDS)) return []
  return [invalid(path, value, `the timeout value must be between 1 and ${LONGEST_SECONDS} seconds`)]
}

function reviewErrors(versions: readonly Json[], path: string): readonly FieldError[] {
  if (versions.length === 0) return [required(path, `must specify one of ${REVIEWS.join(', ')}`)]
  const known = versions.some((version) => REVIEWS.some((each) => each === version))
  return known ? [] : [invalid(path, versions, `must include at least one of ${REVIEWS.join(', ')}`)]
}

function clientErrors(webhook: Json, path: string): readonly FieldError[] {
  const url = at(webhook, 'clientConfig', 'url')
  const service = at(webhook, 'clientConfig', 'service')
  if ((url === undefined) === (service === undefined))
    return [required(path, 'exactly one of url or service is required')]
  return typeof url === 'string' ? urlErrors(url, child(path, 'url')) : serviceErrors(service, child(path, 'service'))
}

function urlErrors(text: string, path: string): readonly FieldError[] {
  const [, scheme = '', rest = ''] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(.*)$/s.exec(text) ?? []
  const [, authority = '', query = '', fragment = ''] =
    /^(?:\/\/([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s.exec(rest) ?? []
  const user = authority.includes('@') ? authority.slice(0, authority.lastIndexOf('@')) : ''
  const form = 'desired format: https://host[/path]'
  return [
    ...(scheme === 'https' ? [] : [invalid(path, scheme, `'https' is the only allowed URL scheme; ${form}`)]),
    ...(authority === '' ? [invalid(path, '', `host must be specified; ${form}`)] : []),
    ...(user === '' ? [] : [invalid(path, user, 'user information is not permitted in the URL')]),
    ...(fragment === '' ? [] : [invalid(path, fragment, 'fragments are not permitted in the URL')]),
    ...(query === '' ? [] : [invalid(path, query, 'query parameters are not permitted in the URL')]),
  ]
}

function serviceErrors(service: Json | undefined, path: string): readonly FieldError[] {
  const [port, route] = [at(service, 'port'), at(service, 'path')]
  const isPort = typeof port !== 'number' || (port >= 1 && port <= 65_535)
  return [
    ...['name', 'namespace'].flatMap((key) => (at(service, key) === '' ? [required(child(path, key))] : [])),
    ...(isPort
      ? []
      : [invalid(child(path, 'port'), port, 'port is not valid: must be between 1 and 65535, inclusive')]),
    ...(typeof route === 'string' ? routeErrors(route, child(path, 'path')) : []),
  ]
}

function routeErrors(route: string, path: string): readonly FieldError[] {
  if (route === '' || route === '/') return []
  if (route === '//') return [invalid(path, route, 'segment[0] may not be empty')]
  const segments = route.slice(1).replace(/\/$/, '').split('/')
  return [
    ...(route.startsWith('/') ? [] : [invalid(path, route, "must start with a '/'")]),
    ...segments.flatMap((segment, position) => {
      if (segment === '') return [invalid(path, route, `segment[${position}] may not be empty`)]
      return dnsSubdomain(segment).map((text) => invalid(path, route, `segment[${position}]: ${text}`))
    }),
  ]
}

function list(value: Json | undefined): readonly Json[] {
  return isJsonArray(value) ? value : []
}
