import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import { ms } from '../../../../platform/time/index.ts'
import type { JsonObject } from '../../../../schemas/index.ts'
import {
  arrayAt,
  isDeleting,
  labelsOf,
  namespaceOf,
  objectAt,
  textAt,
  timestamp,
  withContent,
} from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { ApiContext } from '../../rest/context.ts'
import { edit, PODS } from '../changes.ts'
import type { Controller, ControllerOptions } from '../controller.ts'
import { setCondition, withoutCondition } from './conditions.ts'
import { numberAt, withoutZeros } from './figures.ts'
import { createPod, deletePod, isEndingNamespace, MOST_AT_ONCE, slowStart, type Work } from './making.ts'
import { claim, controllerOf, follow, isControlledBy } from './owners.ts'
import { byDispensability, isActive, isReady, untilAvailable } from './pods.ts'

export const REPLICA_SETS = 'apps/replicasets'

/** Keeps as many pods as each ReplicaSet asks for. */
export function replicaSets({ api, metrics }: ControllerOptions): Controller {
  const reconciler: Reconciler = createReconciler({
    name: 'replica-sets',
    workers: 4,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (key, signal) => {
      const set = api.store.get(REPLICA_SETS, key)
      if (!set) return
      const wait = await reconcile({ api, component: 'replicaset-controller', signal }, set)
      if (Number.isFinite(wait)) reconciler.enqueueAfter(key, ms(wait))
    },
  })
  return {
    watch: () =>
      follow(api, {
        owners: REPLICA_SETS,
        kind: 'ReplicaSet',
        dependents: PODS,
        enqueue: (key) => reconciler.enqueue(key),
      }),
    run: (signal) => reconciler.run(signal),
  }
}

/** Answers with the ms after which a pod becomes available by itself; Infinity where none does. */
async function reconcile(work: Work, set: ApiObject): Promise<number> {
  const { api, signal } = work
  const before = (await claim(api, set, PODS, signal)).filter(isActive)
  const failure = isDeleting(set) ? undefined : await attempt(() => manage(work, set, before))
  const pods = api.store
    .list(PODS, `${namespaceOf(set)}/`)
    .flatMap(([, pod]) => (isControlledBy(pod, set) && isActive(pod) ? [pod] : []))
  const surplus = before.length - numberAt(objectAt(set, 'spec'), 'replicas', 1)
  await writeStatus(work, set, pods, failure && { error: failure.error, reason: reasonOf(surplus) })
  if (failure && !isEndingNamespace(failure.error)) throw failure.error
  const least = numberAt(objectAt(set, 'spec'), 'minReadySeconds')
  const waits = pods.map((pod) => untilAvailable(pod, least, api.clock.now())).filter((wait) => wait > 0)
  return Math.min(...waits, Number.POSITIVE_INFINITY)
}

async function manage(work: Work, set: ApiObject, pods: readonly ApiObject[]): Promise<void> {
  const spec = objectAt(set, 'spec')
  const missing = numberAt(spec, 'replicas', 1) - pods.length
  if (missing > 0) {
    const template = objectAt(spec, 'template')
    await slowStart(Math.min(missing, MOST_AT_ONCE), () => createPod(work, set, template))
  } else if (missing < 0) {
    const chosen = byDispensability(pods, relatedPods(work.api, set)).slice(0, Math.min(-missing, MOST_AT_ONCE))
    await Promise.all(chosen.map((pod) => deletePod(work, set, pod)))
  }
}

/** Active pods of all ReplicaSets that have the same controller: those of one Deployment crowd each other. */
function relatedPods(api: ApiContext, set: ApiObject): readonly ApiObject[] {
  const controller = textAt(controllerOf(set) ?? {}, 'uid')
  const prefix = `${namespaceOf(set)}/`
  const sets = api.store.list(REPLICA_SETS, prefix).flatMap(([, each]) => {
    const isSibling = controller !== '' && textAt(controllerOf(each) ?? {}, 'uid') === controller
    return isSibling || each === set ? [each] : []
  })
  const uids = new Set(sets.map((each) => textAt(each.metadata, 'uid')))
  return api.store.list(PODS, prefix).flatMap(([, pod]) => {
    return isActive(pod) && uids.has(textAt(controllerOf(pod) ?? {}, 'uid')) ? [pod] : []
  })
}

async function writeStatus(
  { api, signal }: Work,
  set: ApiObject,
  pods: readonly ApiObject[],
  failure: { readonly error: unknown; readonly reason: string } | undefined,
): Promise<void> {
  const now = api.clock.now()
  await edit(
    api,
    REPLICA_SETS,
    set,
    'status',
    (current) => {
      const conditions = arrayAt(objectAt(current, 'status'), 'conditions')
      return withContent(current, {
        status: {
          replicas: pods.length,
          ...counts(set, pods, now),
          ...withoutZeros({
            observedGeneration: numberAt(set.metadata, 'generation'),
            conditions: failure
              ? setCondition(conditions, failureCondition(failure), timestamp(now))
              : withoutCondition(conditions, 'ReplicaFailure'),
          }),
        },
      })
    },
    signal,
  )
}

function counts(set: ApiObject, pods: readonly ApiObject[], now: number): JsonObject {
  const spec = objectAt(set, 'spec')
  const least = numberAt(spec, 'minReadySeconds')
  const wanted = Object.entries(objectAt(objectAt(objectAt(spec, 'template'), 'metadata'), 'labels'))
  const isLabelled = (pod: ApiObject) => wanted.every(([key, value]) => labelsOf(pod)[key] === value)
  return withoutZeros({
    fullyLabeledReplicas: pods.filter(isLabelled).length,
    readyReplicas: pods.filter(isReady).length,
    availableReplicas: pods.filter((pod) => untilAvailable(pod, least, now) === 0).length,
  })
}

function failureCondition({ error, reason }: { readonly error: unknown; readonly reason: string }) {
  const message = error instanceof Error ? error.message : String(error)
  return { type: 'ReplicaFailure', status: 'True', reason, message } as const
}

function reasonOf(surplus: number): string {
  return surplus > 0 ? 'FailedDelete' : 'FailedCreate'
}

async function attempt(act: () => Promise<void>): Promise<{ readonly error: unknown } | undefined> {
  try {
    await act()
    return undefined
  } catch (error) {
    return { error }
  }
}
