import type { ResourceDefinition } from '../../resource.ts'
import { builtin } from './kind.ts'

const STREAM_VERBS = ['create', 'get']
const PROXY_VERBS = ['create', 'delete', 'get', 'patch', 'update']

/** Kinds of the core group, and those that go with them. Events are stored in their core form. */
export const CORE_KINDS: readonly ResourceDefinition[] = [
  builtin('Namespace', { plural: 'namespaces', shortNames: ['ns'], status: true, model: 'V1Namespace' }),
  builtin('Node', {
    plural: 'nodes',
    shortNames: ['no'],
    status: true,
    connects: [{ subresource: 'proxy', kind: 'NodeProxyOptions', verbs: PROXY_VERBS }],
    model: 'V1Node',
  }),
  builtin('Pod', {
    plural: 'pods',
    shortNames: ['po'],
    categories: ['all'],
    namespaced: true,
    status: true,
    actions: [
      { subresource: 'binding', group: '', version: 'v1', kind: 'Binding' },
      { subresource: 'eviction', group: 'policy', version: 'v1', kind: 'Eviction' },
    ],
    connects: [
      { subresource: 'attach', kind: 'PodAttachOptions', verbs: STREAM_VERBS },
      { subresource: 'exec', kind: 'PodExecOptions', verbs: STREAM_VERBS },
      { subresource: 'log', kind: 'Pod', verbs: ['get'] },
      { subresource: 'portforward', kind: 'PodPortForwardOptions', verbs: STREAM_VERBS },
      { subresource: 'proxy', kind: 'PodProxyOptions', verbs: PROXY_VERBS },
    ],
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
]
