import type { ResourceDefinition, SubresourceAction } from '../resource.ts'
import { resolveType } from './resolve-type.ts'

interface Kind {
  readonly group?: string
  readonly plural: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly namespaced?: boolean
  readonly status?: boolean
  readonly model: string
  readonly storage?: boolean
  readonly actions?: readonly SubresourceAction[]
}

/** Kinds of Kubernetes that are served here. Events are stored in their core form. */
export const BUILTIN_DEFINITIONS: readonly ResourceDefinition[] = [
  builtin('Namespace', { plural: 'namespaces', shortNames: ['ns'], status: true, model: 'V1Namespace' }),
  builtin('Node', { plural: 'nodes', shortNames: ['no'], status: true, model: 'V1Node' }),
  builtin('Pod', {
    plural: 'pods',
    shortNames: ['po'],
    categories: ['all'],
    namespaced: true,
    status: true,
    actions: [{ subresource: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction' }],
    model: 'V1Pod',
  }),
  builtin('ConfigMap', { plural: 'configmaps', shortNames: ['cm'], namespaced: true, model: 'V1ConfigMap' }),
  builtin('Secret', { plural: 'secrets', namespaced: true, model: 'V1Secret' }),
  builtin('ServiceAccount', {
    plural: 'serviceaccounts',
    shortNames: ['sa'],
    namespaced: true,
    model: 'V1ServiceAccount',
    actions: [{ subresource: 'token', group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' }],
  }),
  builtin('Event', { plural: 'events', shortNames: ['ev'], namespaced: true, model: 'CoreV1Event' }),
  builtin('Event', {
    group: 'events.k8s.io',
    plural: 'events',
    shortNames: ['ev'],
    namespaced: true,
    model: 'EventsV1Event',
    storage: false,
  }),
  builtin('Lease', { group: 'coordination.k8s.io', plural: 'leases', namespaced: true, model: 'V1Lease' }),
  builtin('CustomResourceDefinition', {
    group: 'apiextensions.k8s.io',
    plural: 'customresourcedefinitions',
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    status: true,
    model: 'V1CustomResourceDefinition',
  }),
  builtin('ValidatingWebhookConfiguration', {
    group: 'admissionregistration.k8s.io',
    plural: 'validatingwebhookconfigurations',
    categories: ['api-extensions'],
    model: 'V1ValidatingWebhookConfiguration',
  }),
  builtin('MutatingWebhookConfiguration', {
    group: 'admissionregistration.k8s.io',
    plural: 'mutatingwebhookconfigurations',
    categories: ['api-extensions'],
    model: 'V1MutatingWebhookConfiguration',
  }),
]

function builtin(kind: string, declared: Kind): ResourceDefinition {
  const { group = '', plural, shortNames = [], categories = [], namespaced = false, status = false } = declared
  return {
    group,
    version: 'v1',
    kind,
    listKind: `${kind}List`,
    plural,
    singular: kind.toLowerCase(),
    shortNames,
    categories,
    namespaced,
    storage: declared.storage ?? true,
    custom: false,
    statusSubresource: status,
    ...(declared.actions ? { actions: declared.actions } : {}),
    schema: resolveType(declared.model),
    printerColumns: [],
  }
}
