import { createReconciler } from '../../../platform/lifecycle/index.ts'
import { isJsonObject, nameOf } from '../../kube/object/index.ts'
import type { Controller, ControllerOptions } from '../controllers/controller.ts'
import { aggregateRole } from './install-access.ts'

const CLUSTER_ROLES = 'rbac.authorization.k8s.io/clusterroles'

/** Keeps aggregated ClusterRoles what those that they select add up to. */
export function roleAggregation({ api, metrics }: ControllerOptions): Controller {
  const reconciler = createReconciler({
    name: 'cluster-role-aggregation',
    workers: 1,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: (name, signal) => aggregateRole(api, name, signal),
  })
  const enqueueAll = () => {
    for (const [, role] of api.store.list(CLUSTER_ROLES)) {
      if (isJsonObject(role['aggregationRule'])) reconciler.enqueue(nameOf(role))
    }
  }
  return {
    watch() {
      enqueueAll()
      return api.store.onChange((resource) => {
        if (resource === CLUSTER_ROLES) enqueueAll()
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}
