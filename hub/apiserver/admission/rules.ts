import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, labelsOf, objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { type LabelSelector, matchesLabels, requirementsOf } from '../../kube/selectors/index.ts'
import type { Admission } from '../rest/context.ts'
import { placeIn, type WebhookPlace } from './call.ts'

/** One webhook of a webhook configuration, with what it asks to see. */
export interface Webhook extends WebhookPlace {
  readonly name: string
  readonly timeoutSeconds: number
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** Equivalent: a change by way of another version of the kind is shown in the version that the rules name. */
  readonly matchPolicy: 'Exact' | 'Equivalent'
  readonly rules: readonly JsonObject[]
  readonly namespaceSelector: LabelSelector
  readonly objectSelector: LabelSelector
}

const DEFAULT_TIMEOUT = 10
const LONGEST_TIMEOUT = 30

export function webhooksOf(configuration: ApiObject): readonly Webhook[] {
  return arrayAt(configuration, 'webhooks')
    .filter(isJsonObject)
    .map((webhook) => {
      const client = objectAt(webhook, 'clientConfig')
      const timeout = webhook['timeoutSeconds']
      return {
        name: textAt(webhook, 'name'),
        ...placeIn(client),
        timeoutSeconds: typeof timeout === 'number' ? Math.min(Math.max(timeout, 1), LONGEST_TIMEOUT) : DEFAULT_TIMEOUT,
        failurePolicy: webhook['failurePolicy'] === 'Ignore' ? 'Ignore' : 'Fail',
        matchPolicy: webhook['matchPolicy'] === 'Exact' ? 'Exact' : 'Equivalent',
        rules: arrayAt(webhook, 'rules').filter(isJsonObject),
        namespaceSelector: requirementsOf(objectAt(webhook, 'namespaceSelector')),
        objectSelector: requirementsOf(objectAt(webhook, 'objectSelector')),
      }
    })
}

/** Whether a webhook wants to see a change. `namespace` is the Namespace of the object, where it has one. */
export function concerns(webhook: Webhook, admission: Admission, namespace: ApiObject | undefined): boolean {
  // No webhook may stand between people and the configuration that names it.
  if (admission.definition.group === 'admissionregistration.k8s.io') return false
  if (!webhook.rules.some((rule) => ruleMatches(rule, admission))) return false
  if (namespace && !matchesLabels(webhook.namespaceSelector, labelsOf(namespace))) return false
  const seen = [admission.object, admission.before].filter((object) => object !== undefined)
  return seen.some((object) => matchesLabels(webhook.objectSelector, labelsOf(object)))
}

function ruleMatches(rule: JsonObject, { definition, operation, subresource }: Admission): boolean {
  const resource = subresource === '' ? definition.plural : `${definition.plural}/${subresource}`
  const scope = textAt(rule, 'scope') || '*'
  return (
    has(rule, 'operations', [operation, '*']) &&
    has(rule, 'apiGroups', [definition.group, '*']) &&
    has(rule, 'apiVersions', [definition.version, '*']) &&
    has(rule, 'resources', wildcards(resource, definition.plural, subresource)) &&
    (scope === '*' || scope === (definition.namespaced ? 'Namespaced' : 'Cluster'))
  )
}

/** `*` means all resources but no subresources, as the API of Kubernetes defines it. */
function wildcards(resource: string, plural: string, subresource: string): readonly string[] {
  return subresource === '' ? [resource, '*', '*/*'] : [resource, '*/*', `*/${subresource}`, `${plural}/*`]
}

function has(rule: JsonObject, field: string, wanted: readonly string[]): boolean {
  return arrayAt(rule, field).some((item) => typeof item === 'string' && wanted.includes(item))
}
