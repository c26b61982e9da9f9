import {
  CLIENT_AUTHORITY_ROLE,
  CLOUD_CLUSTER_RULES,
  CLOUD_NAMESPACE,
  CLOUD_WORKLOAD_RULES,
  cloudNamespaceAccess,
  roleBinding,
  rolePair,
} from '../../schemas/access/index.ts'
import { crds } from '../../schemas/crd/index.ts'
import type { JsonObject } from '../../schemas/index.ts'
import { deployment, NAME, NODE_PORTS, PORTS, SELECTOR } from './deployment.ts'
import type { Part, PartFile, Values } from './part.ts'

const namespace = CLOUD_NAMESPACE
const SUBJECT = { kind: 'ServiceAccount', name: NAME, namespace } as const
const WORKLOADS_ROLE = `${NAME}-workloads`
/** All that a cluster gets, in the order in which it is applied. */
export function installation(values: Values): readonly PartFile[] {
  return [
    { name: '00-namespace', notInChart: true, parts: [{ object: namespaceObject() }] },
    { name: '10-crds', when: 'crds.install', parts: crds.map((crd) => ({ object: kept(crd) })) },
    { name: '20-access', parts: access() },
    { name: '30-cloud', parts: [{ object: deployment(values) }, ...services(values), ...bounds(values)] },
  ]
}

function namespaceObject(): JsonObject {
  const labels = { 'pod-security.kubernetes.io/audit': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }
}

/** Helm upgrades what is a template, and leaves what says so: with a definition all its devices would go. */
function kept(crd: (typeof crds)[number]): JsonObject {
  return { ...crd, metadata: { ...crd.metadata, annotations: { 'helm.sh/resource-policy': 'keep' } } }
}

function access(): readonly Part[] {
  const reader = CLIENT_AUTHORITY_ROLE
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: NAME, namespace } }
  const [workloads, everywhere] = rolePair(SUBJECT, { name: WORKLOADS_ROLE }, CLOUD_WORKLOAD_RULES)
  const role = { kind: 'ClusterRole', name: WORKLOADS_ROLE } as const
  return [
    { object: { ...account, automountServiceAccountToken: false } },
    ...rolePair(SUBJECT, { name: NAME }, CLOUD_CLUSTER_RULES).map((object) => ({ object })),
    ...cloudNamespaceAccess(SUBJECT, NAME).map((object) => ({ object })),
    { object: roleBinding(SUBJECT, { name: NAME, namespace: reader.namespace }, { kind: 'Role', name: reader.name }) },
    { object: workloads },
    { object: everywhere, when: 'workloads.allNamespaces' },
    {
      unless: 'workloads.allNamespaces',
      each: 'workloads.namespaces',
      make: (item) => {
        const { metadata, ...binding } = roleBinding(SUBJECT, { name: WORKLOADS_ROLE, namespace }, role)
        return { ...binding, metadata: { ...metadata, namespace: item } }
      },
    },
  ]
}

function services(values: Values): readonly Part[] {
  const head = { apiVersion: 'v1', kind: 'Service' }
  const port = (name: keyof typeof PORTS, own: number = PORTS[name]) => ({
    ...{ name, port: own, protocol: 'TCP', targetPort: name },
  })
  return [
    {
      object: {
        ...head,
        metadata: { name: NAME, namespace, annotations: values.of('service.annotations') },
        spec: {
          type: values.of('service.type'),
          selector: SELECTOR,
          ports: [port('cloudhub'), port('certificates'), port('tunnel'), port('router')],
        },
      },
    },
    {
      object: {
        ...head,
        metadata: { name: `${NAME}-internal`, namespace, annotations: values.of('metrics.annotations') },
        spec: { type: 'ClusterIP', selector: SELECTOR, ports: [port('webhook', 443), port('metrics')] },
      },
    },
  ]
}

function bounds(values: Values): readonly Part[] {
  const metadata = { name: NAME, namespace }
  const ports = (...names: readonly (keyof typeof PORTS)[]) =>
    names.map((name) => ({ port: PORTS[name], protocol: 'TCP' }))
  return [
    {
      when: 'podDisruptionBudget.enabled',
      object: {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata,
        // One that is not ready yet must not hold up a drain.
        spec: { maxUnavailable: 1, selector: { matchLabels: SELECTOR }, unhealthyPodEvictionPolicy: 'AlwaysAllow' },
      },
    },
    {
      when: 'networkPolicy.enabled',
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata,
        spec: {
          podSelector: { matchLabels: SELECTOR },
          policyTypes: ['Ingress', 'Egress'],
          ingress: [
            // From anywhere: an API server speaks to webhooks from addresses that no selector names.
            { ports: ports('cloudhub', 'certificates', 'tunnel', 'webhook', 'router') },
            // Who calls as a kubelet's caller is asked who he is; API servers have addresses that no selector names.
            { ports: [...ports('stream'), { port: NODE_PORTS.first, endPort: NODE_PORTS.last, protocol: 'TCP' }] },
            { from: values.of('networkPolicy.metricsFrom'), ports: ports('metrics') },
          ],
          egress: values.of('networkPolicy.egress'),
        },
      },
    },
    {
      when: 'networkPolicy.enabled',
      object: {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: `${NAME}-replicas`, namespace },
        spec: {
          podSelector: { matchLabels: SELECTOR },
          policyTypes: ['Ingress', 'Egress'],
          // Calls that one replica passes on to another.
          ingress: [{ from: [{ podSelector: { matchLabels: SELECTOR } }], ports: ports('replicas') }],
          egress: [{ to: [{ podSelector: { matchLabels: SELECTOR } }], ports: ports('replicas') }],
        },
      },
    },
  ]
}
