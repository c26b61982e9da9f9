import type { Module } from '../../platform/lifecycle/index.ts'
import { SYSTEM_NAMESPACE } from './authority/secrets.ts'
import {
  ApiTroubles,
  CLUSTER_OBJECT_SYNCS,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  createInformer,
  DEVICE_MODELS,
  DEVICE_STATUSES,
  DEVICES,
  type InformerPorts,
  LEASES,
  NODES,
  OBJECT_SYNCS,
  ROLE_BINDINGS,
  ROLES,
  RULE_ENDPOINTS,
  RULES,
} from './kubernetes/index.ts'

/** What the cloud half follows of the API all the time, and all its parts share. */
export function createCloudInformers(ports: InformerPorts) {
  return {
    devices: createInformer(DEVICES, {}, ports),
    models: createInformer(DEVICE_MODELS, {}, ports),
    statuses: createInformer(DEVICE_STATUSES, {}, ports),
    nodes: createInformer(NODES, {}, ports),
    leases: createInformer(LEASES, { namespace: 'kube-node-lease' }, ports),
    sessionLeases: createInformer(LEASES, { namespace: SYSTEM_NAMESPACE }, ports),
    records: createInformer(OBJECT_SYNCS, {}, ports),
    clusterRecords: createInformer(CLUSTER_OBJECT_SYNCS, {}, ports),
    rules: createInformer(RULES, {}, ports),
    endpoints: createInformer(RULE_ENDPOINTS, {}, ports),
    roles: createInformer(ROLES, {}, ports),
    clusterRoles: createInformer(CLUSTER_ROLES, {}, ports),
    roleBindings: createInformer(ROLE_BINDINGS, {}, ports),
    clusterRoleBindings: createInformer(CLUSTER_ROLE_BINDINGS, {}, ports),
  }
}

/** Follows the objects that the controllers look at. Does not wait for the first lists: those who need them do. */
export function createCacheModule(
  informers: readonly { run(signal: AbortSignal): Promise<void> }[],
  troubles = new ApiTroubles(),
): Module {
  return {
    name: 'KubernetesCache',
    async start(scope) {
      troubles.onChange = (waitsFor) => scope.pending(waitsFor)
      for (const informer of informers) scope.run((signal) => informer.run(signal))
    },
  }
}
