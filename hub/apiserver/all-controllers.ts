import { loadAuthority } from '../../platform/certificates/issuing/index.ts'
import type { Duration } from '../../platform/time/index.ts'
import type { Authorizer } from '../serving/access/authorization.ts'
import { roleAggregation } from './access/role-aggregation.ts'
import { bootstrapExpiry } from './accounts/bootstrap-tokens.ts'
import { defaultAccounts } from './accounts/default-accounts.ts'
import { secretTokens } from './accounts/secret-tokens.ts'
import { requestExpiry } from './certificates/request-expiry.ts'
import { certificateSigning } from './certificates/signing.ts'
import type { Controller, ControllerOptions } from './controllers/controller.ts'
import { eventExpiry } from './controllers/event-expiry.ts'
import { garbageCollector } from './controllers/garbage-collector.ts'
import { namespaceController } from './controllers/namespaces.ts'
import { lostPods } from './controllers/nodes/lost-pods.ts'
import { nodeLifecycle } from './controllers/nodes/node-lifecycle.ts'
import { taintEviction } from './controllers/nodes/taint-eviction.ts'
import { scheduler } from './controllers/scheduler/scheduler.ts'
import { daemonSets } from './controllers/workloads/daemon-sets/daemon-sets.ts'
import { deployments } from './controllers/workloads/deployments/deployments.ts'
import { disruptionBudgets } from './controllers/workloads/disruption-budgets.ts'
import { jobs } from './controllers/workloads/jobs/jobs.ts'
import { replicaSets } from './controllers/workloads/replica-sets.ts'

export interface AllControllersOptions {
  readonly tls: { readonly clientAuthority: string }
  readonly nodeGrace?: Duration
  readonly authority?: { readonly certificate: string; readonly privateKey: string }
}

/** Everything that keeps objects as Kubernetes promises, beside the requests; CustomResourceDefinitions are served before. */
export function allControllers(
  { tls, nodeGrace, authority }: AllControllersOptions,
  ground: ControllerOptions,
  authorize: Authorizer,
): readonly Controller[] {
  const { accounts } = ground.api
  const ca = tls.clientAuthority
  return [
    roleAggregation(ground),
    namespaceController(ground),
    garbageCollector(ground),
    nodeLifecycle({ ...ground, ...(nodeGrace ? { grace: nodeGrace } : {}) }),
    taintEviction(ground),
    lostPods(ground),
    scheduler(ground),
    replicaSets(ground),
    deployments(ground),
    daemonSets(ground),
    jobs(ground),
    disruptionBudgets(ground),
    eventExpiry(ground),
    requestExpiry(ground),
    bootstrapExpiry(ground),
    defaultAccounts({ ...ground, ca }),
    ...(accounts ? [secretTokens({ ...ground, accounts, ca })] : []),
    ...(authority ? [certificateSigning({ ...ground, authority: loadAuthority(authority), authorize })] : []),
  ]
}
