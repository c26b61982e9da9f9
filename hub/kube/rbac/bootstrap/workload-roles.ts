import type { JsonObject } from '../../../../schemas/index.ts'
import type { ApiObject } from '../../resource.ts'
import { RBAC_GROUP } from '../policy-rule.ts'
import { aggregatedRole, clusterRole, READ, READ_WRITE, to, toEvents, WRITE } from './objects.ts'

const LABEL = `${RBAC_GROUP}/aggregate-to-`
const TO_ADMIN = { [`${LABEL}admin`]: 'true' }
const TO_EDIT = { [`${LABEL}edit`]: 'true' }
const TO_VIEW = { [`${LABEL}view`]: 'true' }

const DEVICE_GROUP = 'devices.kubeedge.io'
const RULE_GROUP = 'rules.kubeedge.io'

/** For people in a namespace: admin holds edit, edit holds view, and each whatever carries the label of its name. */
export const WORKLOAD_ROLES: readonly ApiObject[] = [
  aggregatedRole('admin', `${LABEL}admin`),
  aggregatedRole('edit', `${LABEL}edit`, TO_ADMIN),
  aggregatedRole('view', `${LABEL}view`, TO_EDIT),
  clusterRole('system:aggregate-to-admin', adminRules(), TO_ADMIN),
  clusterRole('system:aggregate-to-edit', editRules(), TO_EDIT),
  clusterRole('system:aggregate-to-view', viewRules(), TO_VIEW),
  clusterRole(
    'skerry:aggregate-to-edit',
    [to(WRITE, DEVICE_GROUP, 'devices', 'devicemodels'), to(WRITE, RULE_GROUP, 'rules', 'ruleendpoints')],
    TO_EDIT,
  ),
  clusterRole(
    'skerry:aggregate-to-view',
    [
      to(READ, DEVICE_GROUP, 'devices', 'devices/status', 'devicemodels', 'devicestatuses'),
      to(READ, RULE_GROUP, 'rules', 'ruleendpoints'),
    ],
    TO_VIEW,
  ),
  // As the server of metrics.k8s.io brings it everywhere else, so that `kubectl top` works for whoever may see pods.
  clusterRole('system:aggregated-metrics-reader', [to(READ, 'metrics.k8s.io', 'pods', 'nodes')], {
    ...TO_VIEW,
    ...TO_EDIT,
    ...TO_ADMIN,
  }),
]

function adminRules(): readonly JsonObject[] {
  return [
    to(['create'], 'authorization.k8s.io', 'localsubjectaccessreviews'),
    to(READ_WRITE, RBAC_GROUP, 'roles', 'rolebindings'),
  ]
}

function editRules(): readonly JsonObject[] {
  const streams = ['pods/attach', 'pods/proxy', 'pods/exec', 'pods/portforward']
  return [
    to(READ, '', ...streams, 'secrets', 'services/proxy'),
    to(['impersonate'], '', 'serviceaccounts'),
    to(WRITE, '', 'pods', ...streams),
    to(['create'], '', 'pods/eviction'),
    to(WRITE, '', 'replicationcontrollers', 'replicationcontrollers/scale', 'serviceaccounts', 'services'),
    to(WRITE, '', 'services/proxy', 'persistentvolumeclaims', 'configmaps', 'secrets'),
    to(['create'], '', 'serviceaccounts/token'),
    toEvents(WRITE),
    to(WRITE, 'apps', 'statefulsets', 'statefulsets/scale', 'daemonsets', 'deployments', 'deployments/scale'),
    to(WRITE, 'apps', 'deployments/rollback', 'replicasets', 'replicasets/scale'),
    to(WRITE, 'autoscaling', 'horizontalpodautoscalers'),
    to(WRITE, 'batch', 'jobs', 'cronjobs'),
    to(WRITE, 'extensions', 'daemonsets', 'deployments', 'deployments/scale', 'deployments/rollback', 'ingresses'),
    to(WRITE, 'extensions', 'replicasets', 'replicasets/scale', 'replicationcontrollers/scale', 'networkpolicies'),
    to(WRITE, 'policy', 'poddisruptionbudgets'),
    to(WRITE, 'networking.k8s.io', 'networkpolicies', 'ingresses'),
    to(READ_WRITE, 'coordination.k8s.io', 'leases'),
    to(WRITE, 'resource.k8s.io', 'resourceclaims', 'resourceclaimtemplates'),
  ]
}

function viewRules(): readonly JsonObject[] {
  return [
    to(READ, '', 'pods', 'pods/status', 'pods/log', 'serviceaccounts', 'services', 'services/status', 'endpoints'),
    to(READ, '', 'persistentvolumeclaims', 'persistentvolumeclaims/status', 'configmaps', 'bindings'),
    to(READ, '', 'replicationcontrollers', 'replicationcontrollers/scale', 'replicationcontrollers/status'),
    to(READ, '', 'limitranges', 'resourcequotas', 'resourcequotas/status', 'namespaces', 'namespaces/status'),
    toEvents(READ),
    to(READ, 'discovery.k8s.io', 'endpointslices'),
    to(READ, 'apps', 'controllerrevisions', 'daemonsets', 'daemonsets/status'),
    to(READ, 'apps', 'statefulsets', 'statefulsets/status', 'statefulsets/scale'),
    to(READ, 'apps', 'deployments', 'deployments/status', 'deployments/scale'),
    to(READ, 'apps', 'replicasets', 'replicasets/status', 'replicasets/scale'),
    to(READ, 'autoscaling', 'horizontalpodautoscalers', 'horizontalpodautoscalers/status'),
    to(READ, 'batch', 'jobs', 'jobs/status', 'cronjobs', 'cronjobs/status'),
    to(READ, 'extensions', 'daemonsets', 'daemonsets/status', 'deployments', 'deployments/scale', 'deployments/status'),
    to(READ, 'extensions', 'ingresses', 'ingresses/status', 'replicasets', 'replicasets/scale', 'replicasets/status'),
    to(READ, 'extensions', 'replicationcontrollers/scale', 'networkpolicies'),
    to(READ, 'policy', 'poddisruptionbudgets', 'poddisruptionbudgets/status'),
    to(READ, 'networking.k8s.io', 'networkpolicies', 'ingresses', 'ingresses/status'),
    to(READ, 'resource.k8s.io', 'resourceclaims', 'resourceclaims/status', 'resourceclaimtemplates'),
  ]
}
