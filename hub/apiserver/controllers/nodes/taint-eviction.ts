import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import { ms, seconds } from '../../../../platform/time/index.ts'
import { isDeleting, nameOf, namespaceOf, sameJson, timestamp, withCondition } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { ApiContext } from '../../rest/context.ts'
import type { Controller, ControllerOptions } from '../controller.ts'
import { edit, NODES, nodeNamed, nodeOfPod, PODS, podsOn, removePod, tell } from './changes.ts'
import { evictingTaints } from './taints.ts'
import { secondsTolerated } from './tolerations.ts'

/** Asks pods to go from nodes with NoExecute taints once they have tolerated those for as long as they said. */
export function taintEviction({ api, metrics }: ControllerOptions): Controller {
  /** Monotonic, by key of the pod. As in Kubernetes, the time begins anew with this process. */
  const since = new Map<string, number>()
  const reconciler: Reconciler = createReconciler({
    name: 'evictions',
    workers: 4,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (key, signal) => {
      const pod = api.store.get(PODS, key)
      const tolerated = pod && !isDeleting(pod) ? toleratedBy(api, pod) : Number.POSITIVE_INFINITY
      if (!pod || tolerated === Number.POSITIVE_INFINITY) return void since.delete(key)
      const now = api.clock.monotonic()
      const began = since.get(key) ?? now
      since.set(key, began)
      const left = began + seconds(tolerated).milliseconds - now
      if (left > 0) return reconciler.enqueueAfter(key, ms(left))
      await evict(api, pod, signal)
      since.delete(key)
    },
  })
  return {
    watch() {
      for (const [key] of api.store.list(PODS)) reconciler.enqueue(key)
      return api.store.onChange((resource, { key, before, after }) => {
        if (resource === PODS && (since.has(key) || (after && hasTaints(api, after)))) reconciler.enqueue(key)
        if (resource !== NODES || !after) return
        if (sameJson([...evictingTaints(after)], before ? [...evictingTaints(before)] : [])) return
        for (const pod of podsOn(api, nameOf(after))) reconciler.enqueue(pod)
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

/** Infinity where nothing drives it away. */
function toleratedBy(api: ApiContext, pod: ApiObject): number {
  const node = nodeNamed(api, nodeOfPod(pod))
  const taints = node ? evictingTaints(node) : []
  return taints.length === 0 ? Number.POSITIVE_INFINITY : secondsTolerated(pod, taints)
}

function hasTaints(api: ApiContext, pod: ApiObject): boolean {
  const node = nodeNamed(api, nodeOfPod(pod))
  return node !== undefined && evictingTaints(node).length > 0
}

async function evict(api: ApiContext, pod: ApiObject, signal: AbortSignal): Promise<void> {
  const name = `${namespaceOf(pod)}/${nameOf(pod)}`
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: timestamp(api.clock.now()),
  }
  await edit(api, PODS, pod, 'status', (current) => withCondition(current, condition), signal)
  await tell(
    api,
    pod,
    { type: 'Normal', reason: 'TaintManagerEviction', message: `Marking for deletion Pod ${name}` },
    signal,
  )
  await removePod(api, pod, signal)
  api.log.warn('A pod has to leave its node, which it tolerated long enough', { pod: name, node: nodeOfPod(pod) })
}
