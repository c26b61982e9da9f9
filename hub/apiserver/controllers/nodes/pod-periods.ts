import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import { type Duration, ms } from '../../../../platform/time/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { Controller, ControllerOptions } from '../controller.ts'
import { NODES, PODS } from './changes.ts'

export interface PodPeriods {
  /** Of the queue. */
  readonly name: string
  readonly workers: number
  /** How long what concerns the pod now has to last; undefined where nothing concerns it. */
  period(pod: ApiObject): Duration | undefined
  /** Keys of the pods for which a change of this Node may matter. */
  concerned(key: string, before: ApiObject | undefined, after: ApiObject | undefined): readonly string[]
  /** What is done with a pod whose period is over. */
  act(pod: ApiObject, signal: AbortSignal): Promise<void>
}

/** Does something with pods once what concerns them has lasted for its period. As in Kubernetes, a period begins anew with the process. */
export function podPeriods({ api, metrics }: ControllerOptions, options: PodPeriods): Controller {
  const { name, workers, period, concerned, act } = options
  /** Monotonic, by key of the pod. */
  const since = new Map<string, number>()
  const reconciler: Reconciler = createReconciler({
    ...{ name, workers, metrics, clock: api.clock, random: api.random, log: api.log },
    reconcile: async (key, signal) => {
      const pod = api.store.get(PODS, key)
      const lasting = pod && period(pod)
      if (!pod || !lasting) return void since.delete(key)
      const now = api.clock.monotonic()
      const began = since.get(key) ?? now
      since.set(key, began)
      const left = began + lasting.milliseconds - now
      if (left > 0) return reconciler.enqueueAfter(key, ms(left))
      await act(pod, signal)
      since.delete(key)
    },
  })
  return {
    watch() {
      for (const [key] of api.store.list(PODS)) reconciler.enqueue(key)
      return api.store.onChange((resource, { key, before, after }) => {
        if (resource === PODS && (since.has(key) || (after && period(after)))) reconciler.enqueue(key)
        if (resource === NODES) for (const pod of concerned(key, before, after)) reconciler.enqueue(pod)
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}
