import type { Metrics } from '../../../platform/health/index.ts'
import type { Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { type Clock, type Random, seconds } from '../../../platform/time/index.ts'
import { AccessReviews } from '../access/access-reviews.ts'
import type { CloudHub } from '../cloudhub/delivery.ts'
import type { Workloads } from '../edge-controller/pods/workloads.ts'
import type { AnyObject, Informer, Kubernetes, KubernetesCallers } from '../kubernetes/index.ts'
import { DynamicController } from './controller.ts'
import { NodeRights } from './node-rights.ts'

export interface DynamicControllerModulePorts {
  readonly kubernetes: Kubernetes
  readonly callers: KubernetesCallers
  readonly hub: CloudHub
  readonly nodes: Informer<AnyObject>
  /** Pods of nodes and what they use, once EdgeController has started. */
  readonly workloads: () => Workloads | undefined
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** What a node may do is remembered for so long. */
const REMEMBERED = { good: seconds(60), bad: seconds(10), most: 2000, atOnce: 32, within: seconds(8) }

/** The API for callers on nodes. */
export function createDynamicControllerModule(ports: DynamicControllerModulePorts): Module {
  return {
    name: 'DynamicController',
    async start(scope) {
      const { hub, nodes } = ports
      const access = new AccessReviews(REMEMBERED, ports)
      const rights = new NodeRights({ ...ports, access })
      const controller = new DynamicController({ ...ports, rights }, scope.signal)
      scope.use(hub.onConnection((peer, connected) => controller.watches.connection(peer, connected)))
      scope.use(nodes.onChange((now, before) => !now && before && controller.watches.forget(before.metadata.name)))
      scope.use(hub.onUpstream('applications', (upstream) => controller.take(upstream)))
    },
  }
}
