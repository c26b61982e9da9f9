import type { ResourceDefinition } from '../../resource.ts'
import { builtin } from './kind.ts'

/** Kinds that extend the API. */
export const EXTENSION_KINDS: readonly ResourceDefinition[] = [
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
