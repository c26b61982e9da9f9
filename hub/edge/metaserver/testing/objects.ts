import type { JsonObject } from '../../../../schemas/index.ts'
import { NODE } from './served-node.ts'

const BORN = '2026-01-01T00:00:00Z'

export function pod(name: string, more: { readonly version?: string; readonly labels?: JsonObject } = {}): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...{ name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: more.version ?? '10' },
      creationTimestamp: BORN,
      labels: more.labels ?? { app: name },
    },
    spec: { nodeName: NODE, serviceAccountName: 'robot', containers: [{ name: 'main', image: 'till:1' }] },
    status: { phase: 'Pending' },
  }
}

export function configMap(name: string, data: JsonObject, version = '11'): JsonObject {
  const metadata = { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: version, creationTimestamp: BORN }
  // As informers give it: without kind and apiVersion.
  return { metadata, data }
}

export function device(name: string, desired = '10', version = '12'): JsonObject {
  return {
    apiVersion: 'devices.kubeedge.io/v1beta1',
    kind: 'Device',
    metadata: {
      ...{ name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: version, generation: 1 },
      creationTimestamp: BORN,
    },
    spec: {
      deviceModelRef: { name: 'pump' },
      nodeName: NODE,
      protocol: { protocolName: 'modbus' },
      properties: [{ name: 'speed', desired: { value: desired }, visitors: { protocolName: 'modbus' } }],
    },
  }
}

export function service(name: string, version = '20'): JsonObject {
  const metadata = { name, namespace: 'shop', uid: `uid-service-${name}`, resourceVersion: version }
  const spec = { type: 'ClusterIP', clusterIP: '10.0.0.7', ports: [{ port: 80, protocol: 'TCP' }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { ...metadata, creationTimestamp: BORN }, spec }
}

export function endpointSlice(name: string): JsonObject {
  return {
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
    metadata: { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '22', creationTimestamp: BORN },
    endpoints: [{ addresses: ['10.1.0.7'], conditions: { ready: true } }],
    ports: [{ name: '', port: 80, protocol: 'TCP' }],
  }
}

/** What says that the services of a namespace are here, but for so many of each kind. */
export function wholeNamespace(namespace: string, leftOut: JsonObject = {}): JsonObject {
  const metadata = { name: 'all', namespace, uid: `uid-all-${namespace}`, resourceVersion: JSON.stringify(leftOut) }
  const spec = { leftOut: { Service: 0, EndpointSlice: 0, Endpoints: 0, ...leftOut } }
  return { apiVersion: 'skerry.dev/v1', kind: 'NamespaceServices', metadata, spec }
}

/** Rights of service account `shop/robot`, as the cloud synchronises them. */
export function access(rules: readonly JsonObject[]): JsonObject {
  const account = { name: 'robot', namespace: 'shop', uid: 'uid-robot' }
  return {
    apiVersion: 'policy.kubeedge.io/v1alpha1',
    kind: 'ServiceAccountAccess',
    metadata: { name: 'robot', namespace: 'shop', uid: 'uid-access', resourceVersion: '3' },
    spec: {
      serviceAccount: { metadata: account },
      serviceAccountUid: 'uid-robot',
      accessRoleBinding: [
        {
          roleBinding: {
            metadata: { name: 'robots', namespace: 'shop' },
            roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
            subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace: 'shop' }],
          },
          rules,
        },
      ],
    },
  }
}
