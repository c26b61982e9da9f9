import type { ResourceDefinition } from '../../resource.ts'
import { builtin } from './kind.ts'

/** Kinds of the network. They are objects that others act on: nothing here forwards a packet. */
export const NETWORK_KINDS: readonly ResourceDefinition[] = [
  builtin('Service', {
    connects: [
      { subresource: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    ],
    plural: 'services',
    shortNames: ['svc'],
    categories: ['all'],
    namespaced: true,
    status: true,
    model: 'V1Service',
  }),
  builtin('Endpoints', {
    plural: 'endpoints',
    singular: 'endpoints',
    shortNames: ['ep'],
    namespaced: true,
    model: 'V1Endpoints',
    deprecationWarning: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
  }),
  builtin('EndpointSlice', {
    group: 'discovery.k8s.io',
    plural: 'endpointslices',
    namespaced: true,
    model: 'V1EndpointSlice',
  }),
  builtin('NetworkPolicy', {
    group: 'networking.k8s.io',
    plural: 'networkpolicies',
    shortNames: ['netpol'],
    namespaced: true,
    model: 'V1NetworkPolicy',
  }),
]
