import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import { ms, seconds } from '../../../../platform/time/index.ts'
import {
  nameOf,
  namespaceOf,
  objectAt,
  textAt,
  timestamp,
  withCondition,
  withContent,
} from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { ApiContext } from '../../rest/context.ts'
import type { Controller, ControllerOptions } from '../controller.ts'
import { edit, NODES, nodeNamed, nodeOfPod, PODS, podsOn, removePod } from './changes.ts'

/** Kubernetes' own: a Node that was deleted and comes back at once keeps its pods. */
const QUARANTINE = seconds(40)

/** Removes pods of nodes that are not there: nobody is left who could say that they have ended. */
export function lostPods({ api, metrics }: ControllerOptions): Controller {
  /** Monotonic, by key of the pod: since when its node is missing. */
  const since = new Map<string, number>()
  const reconciler: Reconciler = createReconciler({
    name: 'lost-pods',
    workers: 2,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (key, signal) => {
      const pod = api.store.get(PODS, key)
      if (!pod || !isLost(api, pod)) return void since.delete(key)
      const now = api.clock.monotonic()
      const began = since.get(key) ?? now
      since.set(key, began)
      const left = began + QUARANTINE.milliseconds - now
      if (left > 0) return reconciler.enqueueAfter(key, ms(left))
      await collect(api, pod, signal)
      since.delete(key)
    },
  })
  return {
    watch() {
      for (const [key] of api.store.list(PODS)) reconciler.enqueue(key)
      return api.store.onChange((resource, { key, before, after }) => {
        if (resource === PODS && (since.has(key) || (after && isLost(api, after)))) reconciler.enqueue(key)
        if (resource !== NODES || (before && after)) return
        for (const pod of podsOn(api, key.slice(1))) reconciler.enqueue(pod)
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

function isLost(api: ApiContext, pod: ApiObject): boolean {
  const node = nodeOfPod(pod)
  return node !== '' && nodeNamed(api, node) === undefined
}

async function collect(api: ApiContext, pod: ApiObject, signal: AbortSignal): Promise<void> {
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByPodGC',
    message: 'PodGC: node no longer exists',
    lastTransitionTime: timestamp(api.clock.now()),
  }
  // Who watches the pod sees that it did not succeed.
  await edit(api, PODS, pod, 'status', (current) => withCondition(failed(current), condition), signal)
  await removePod(api, pod, signal, 0)
  const name = `${namespaceOf(pod)}/${nameOf(pod)}`
  api.log.warn('A pod went with its node', { pod: name, node: nodeOfPod(pod) })
}

function failed(pod: ApiObject): ApiObject {
  const status = objectAt(pod, 'status')
  const phase = textAt(status, 'phase')
  return phase === 'Succeeded' || phase === 'Failed'
    ? pod
    : withContent(pod, { status: { ...status, phase: 'Failed' } })
}
