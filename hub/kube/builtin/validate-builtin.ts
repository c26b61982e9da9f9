import type { Json } from '../../../schemas/index.ts'
import { validateCrd } from '../crd/validate-crd.ts'
import type { ApiObject, ResourceDefinition } from '../resource.ts'
import { child, type FieldError, index, invalid, required } from '../schema/field-error.ts'
import { at, isJsonArray } from '../schema/json.ts'
import { dnsSubdomain } from '../schema/names.ts'
import { configMapErrors, secretErrors } from './data-rules.ts'
import { podErrors } from './pod-rules.ts'

/**
 * Rules of a built-in kind that its schema cannot say (run validateObject too). `old` is the stored object of an update:
 * what is immutable must equal it.
 */
export function validateBuiltin(
  { group, kind }: Pick<ResourceDefinition, 'group' | 'kind'>,
  object: ApiObject,
  old?: ApiObject,
): readonly FieldError[] {
  if (group === 'apiextensions.k8s.io') return validateCrd(object, old)
  if (group === 'admissionregistration.k8s.io') return webhookErrors(object)
  if (group === 'coordination.k8s.io') return leaseErrors(object)
  if (group === 'events.k8s.io') return eventErrors(object, 'regarding')
  if (kind === 'Event') return eventErrors(object, 'involvedObject')
  if (kind === 'ConfigMap') return configMapErrors(object, old)
  if (kind === 'Secret') return secretErrors(object, old)
  return kind === 'Pod' ? podErrors(object, old) : []
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

function leaseErrors(lease: ApiObject): readonly FieldError[] {
  const seconds = at(lease, 'spec', 'leaseDurationSeconds')
  const transitions = at(lease, 'spec', 'leaseTransitions')
  return [
    ...(typeof seconds === 'number' && seconds <= 0
      ? [invalid('spec.leaseDurationSeconds', seconds, 'must be greater than 0')]
      : []),
    ...(typeof transitions === 'number' && transitions < 0
      ? [invalid('spec.leaseTransitions', transitions, 'must be greater than or equal to 0')]
      : []),
  ]
}

/** An event stands in the namespace of what it is about; about cluster-scoped things, in `default`. */
function eventErrors(event: ApiObject, field: string): readonly FieldError[] {
  const about = at(event, field, 'namespace') ?? ''
  const own = at(event.metadata, 'namespace') ?? ''
  if (about === own || (about === '' && (own === 'default' || own === 'kube-system'))) return []
  return [invalid(`${field}.namespace`, about, 'does not match event.namespace')]
}
