import type { Metrics } from '../../../platform/health/index.ts'
import type { Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import type { Rule, RuleEndpoint } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import type { CloudHub } from '../cloudhub/delivery.ts'
import type { AnyObject, ApiTroubles, Informer, Kubernetes } from '../kubernetes/index.ts'
import { createNodeSource } from './nodes/node-source.ts'
import { Workloads } from './pods/workloads.ts'
import { certificateRequests } from './requests/certificate-requests.ts'
import { eventRequests } from './requests/event-requests.ts'
import { nodeRequests } from './requests/node-requests.ts'
import { objectRequests } from './requests/object-requests.ts'
import { OwnPods } from './requests/own-pods.ts'
import { podRequests } from './requests/pod-requests.ts'
import { Responder } from './requests/responder.ts'
import { createRuleSource } from './rules/rule-source.ts'
import type { ServiceLimits } from './services/service-limits.ts'
import { ServiceSource } from './services/service-source.ts'

export interface EdgeControllerPorts {
  readonly kubernetes: Kubernetes
  readonly nodes: Informer<AnyObject>
  readonly rules: Informer<Rule>
  readonly endpoints: Informer<RuleEndpoint>
  readonly hub: CloudHub
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
  readonly troubles?: ApiTroubles
  /** What services for nodes may cost; absent: defaults. */
  readonly services?: ServiceLimits
}

export interface EdgeControllerModule extends Module {
  /** Pods of nodes and what they use, once it has started. */
  readonly workloads: Workloads | undefined
}

/** Gives nodes their Node, their pods, what these use and their rules; answers what nodes ask of the API. */
export function createEdgeControllerModule(ports: EdgeControllerPorts): EdgeControllerModule {
  let current: Workloads | undefined
  return {
    name: 'EdgeController',
    get workloads() {
      return current
    },
    async start(scope) {
      const { kubernetes, hub, nodes, metrics, services: limits } = ports
      const workloads = new Workloads(ports)
      current = workloads
      const own = new OwnPods({ kubernetes, hub, pods: workloads.pods })
      const table = {
        ...nodeRequests(kubernetes, nodes),
        ...podRequests(kubernetes, own),
        ...objectRequests({ kubernetes, workloads, own }),
        ...certificateRequests(kubernetes),
        ...eventRequests(kubernetes),
      }
      const responder = new Responder(table, ports, scope.signal)
      // Before the first session: an edge must meet everything that it is given.
      scope.use(hub.onConnection((peer, connected) => connected && workloads.pods.follow(peer.node)))
      scope.use(nodes.onChange((now, before) => !now && before && workloads.pods.forget(before.metadata.name)))
      const services = scope.use(new ServiceSource({ ...ports, workloads, ...(limits ? { limits } : {}) }))
      scope.run((signal) => services.run(signal))
      services.start()
      const sources = [
        scope.use(createNodeSource(ports)),
        workloads.source(),
        services,
        scope.use(createRuleSource({ ...ports, frames: createFrameFactory(ports) })),
      ]
      for (const source of sources) scope.use(hub.addSource(source))
      scope.use(hub.onUpstream('edge', (upstream) => responder.take(upstream)))
      if (metrics) scope.use(countCached(workloads, metrics))
      scope.run((signal) => workloads.run(signal))
    },
  }
}

function countCached(workloads: Workloads, metrics: Metrics): Disposable {
  const cached = metrics.gauge({
    name: 'skerry_edgecontroller_cached',
    help: 'What is kept in memory for nodes that have been here: their pods, and namespaces that these use.',
    labels: ['what'],
  })
  const followed = [
    cached.follow(() => workloads.pods.size, { what: 'pods' }),
    cached.follow(() => workloads.secrets.size, { what: 'namespaces' }),
  ]
  return {
    [Symbol.dispose]() {
      for (const each of followed) each[Symbol.dispose]()
    },
  }
}
