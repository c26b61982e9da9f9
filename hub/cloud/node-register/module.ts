import { type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { createReconciler, type Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import { minutes } from '../../../platform/time/index.ts'
import { SYSTEM_NAMESPACE } from '../authority/secrets.ts'
import { type AnyObject, type ApiTroubles, createInformer, SECRETS } from '../kubernetes/index.ts'
import { NODES_SECRET, NodeRegister, type NodeRegisterPorts } from './node-register.ts'

export interface NodeRegisterModule extends Module {
  readonly register: NodeRegister
}

/** How often connections are looked at for certificates that have expired. */
const JUDGE_EVERY = minutes(1)
const EDGE_LABEL = 'node-role.kubernetes.io/edge'

/**
 * Follows the register and the Nodes, and revokes those whose Node is deleted, also while nobody looked. Its start waits for both,
 * because a hub that lets somebody in before it knows who was cut off is none.
 */
export function createNodeRegisterModule(
  ports: Omit<NodeRegisterPorts, 'secret'> & {
    readonly log: Logger
    readonly metrics?: Metrics
    readonly troubles?: ApiTroubles
  },
): NodeRegisterModule {
  const { nodes, clock, metrics = silentMetrics } = ports
  const fieldSelector = `metadata.name=${NODES_SECRET}`
  const secret = createInformer(SECRETS, { namespace: SYSTEM_NAMESPACE, fieldSelector }, ports)
  const register = new NodeRegister({ ...ports, secret })
  return {
    name: 'NodeRegister',
    register,
    async start(scope) {
      const { signal } = scope
      const settling = createReconciler({
        ...ports,
        name: 'node-register',
        reconcile: (node, ended) => register.settle(node, ended),
        // They share their writes.
        workers: 16,
      })
      const revoked = metrics.gauge({
        name: 'skerry_nodes_revoked',
        help: 'Nodes that are refused until they join again.',
      })
      scope.use(
        revoked.follow(() => register.list(() => false).filter((node) => node.revokedSince !== undefined).length),
      )
      scope.run((ended) => secret.run(ended))
      scope.pending('the Kubernetes API, for the register of nodes')
      await Promise.all([secret.synced(signal), nodes.synced(signal)])
      scope.pending(undefined)
      for (const node of register.missing()) register.unsettle(node, '')
      const follow = (now: AnyObject | undefined, before: AnyObject | undefined) => {
        const node = (now ?? before)?.metadata.name ?? ''
        if (!now && before) register.unsettle(node, before.metadata.uid ?? '')
        else if (before || !now || !(isEdge(now) || register.entries.has(node) || register.isHeld(node))) return
        settling.enqueue(node)
      }
      scope.use(nodes.onChange(follow))
      for (const node of register.entries.keys()) settling.enqueue(node)
      register.onSeen = (node) => settling.enqueue(node)
      scope.run((ended) => settling.run(ended))
      scope.run(async (ended) => {
        for (;;) {
          await clock.sleep(JUDGE_EVERY, ended)
          register.judgeAll()
        }
      })
    },
  }
}

function isEdge({ metadata }: AnyObject): boolean {
  return metadata.labels?.[EDGE_LABEL] !== undefined
}
