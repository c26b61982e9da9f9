import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import { minutes, ms } from '../../../../platform/time/index.ts'
import type { Json, JsonObject } from '../../../../schemas/index.ts'
import {
  arrayAt,
  isDeleting,
  isJsonObject,
  labelsOf,
  nameOf,
  namespaceOf,
  objectAt,
  sameJson,
  textAt,
  timestamp,
  uidOf,
  withContent,
} from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import { at } from '../../../kube/schema/index.ts'
import { selects } from '../../../kube/selectors/index.ts'
import { keyOf, resourceOf } from '../../../serving/objects/registry.ts'
import type { ApiContext } from '../../rest/context.ts'
import { BUDGETS } from '../../rest/disruption.ts'
import { edit, PODS } from '../changes.ts'
import type { Controller, ControllerOptions } from '../controller.ts'
import { tellEvent } from '../events.ts'
import { findCondition } from './conditions.ts'
import { numberAt, shareOf } from './figures.ts'
import { controllerOf } from './owners.ts'
import { isReady } from './pods.ts'

/** Kubernetes' own: so long an eviction that was allowed may take to be seen. */
const EVICTION = minutes(2)

/** What of the pods of a budget counts. */
interface Scale {
  readonly expected: number
  readonly desired: number
  /** Why it cannot be told. */
  readonly trouble?: string
}

/** Tells how many pods of each PodDisruptionBudget may be evicted now. */
export function disruptionBudgets({ api, metrics }: ControllerOptions): Controller {
  const reconciler: Reconciler = createReconciler({
    name: 'disruption-budgets',
    workers: 2,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (key, signal) => {
      const budget = api.store.get(BUDGETS, key)
      if (!budget) return
      const wait = await reconcile(api, budget, signal)
      if (Number.isFinite(wait)) reconciler.enqueueAfter(key, ms(wait))
    },
  })
  const budgetsOf = (pod: ApiObject) =>
    api.store.list(BUDGETS, `${namespaceOf(pod)}/`).flatMap(([key, budget]) => {
      return selects(objectAt(budget, 'spec')['selector'], labelsOf(pod)) ? [key] : []
    })
  return {
    watch() {
      for (const [key] of api.store.list(BUDGETS)) reconciler.enqueue(key)
      return api.store.onChange((resource, { key, before, after }) => {
        if (resource === BUDGETS) reconciler.enqueue(key)
        if (resource === PODS) {
          for (const pod of [before, after]) if (pod) for (const each of budgetsOf(pod)) reconciler.enqueue(each)
        }
        // Another size of what owns the pods is another size of the budget.
        if (resource !== 'apps/deployments' && resource !== 'apps/replicasets') return
        if (before && after && sameJson(objectAt(before, 'spec')['replicas'], objectAt(after, 'spec')['replicas']))
          return
        const [namespace = ''] = key.split('/')
        for (const [each] of api.store.list(BUDGETS, `${namespace}/`)) reconciler.enqueue(each)
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

/** Answers with the ms after which an eviction that nobody saw is forgotten; Infinity where there is none. */
async function reconcile(api: ApiContext, budget: ApiObject, signal: AbortSignal): Promise<number> {
  const selector = objectAt(budget, 'spec')['selector']
  const pods = api.store
    .list(PODS, `${namespaceOf(budget)}/`)
    .flatMap(([, pod]) => (selects(selector, labelsOf(pod)) ? [pod] : []))
  const now = api.clock.now()
  const scale = scaleOf(api, budget, pods)
  const propose = (current: ApiObject) => withContent(current, { status: statusOf(current, pods, scale, now) })
  await edit(api, BUDGETS, budget, 'status', propose, signal)
  if (pods.length === 0 && numberAt(objectAt(budget, 'status'), 'observedGeneration') === 0) {
    const story = { type: 'Normal', reason: 'NoPods', message: 'No matching pods found' } as const
    await tellEvent(api, 'controllermanager', budget, story, signal)
  }
  const waits = Object.values(disruptedOf(budget, pods, now)).map((time) => endOfEviction(time) - now)
  return Math.min(...waits, Number.POSITIVE_INFINITY)
}

function statusOf(budget: ApiObject, pods: readonly ApiObject[], scale: Scale, now: number): JsonObject {
  const disruptedPods = disruptedOf(budget, pods, now)
  const healthy = pods.filter((pod) => isReady(pod) && !isDeleting(pod) && disruptedPods[nameOf(pod)] === undefined)
  const allowed = scale.expected > 0 && !scale.trouble ? Math.max(0, healthy.length - scale.desired) : 0
  const observedGeneration = numberAt(budget.metadata, 'generation')
  return {
    currentHealthy: healthy.length,
    desiredHealthy: scale.desired,
    disruptionsAllowed: allowed,
    expectedPods: scale.expected,
    observedGeneration,
    ...(Object.keys(disruptedPods).length === 0 ? {} : { disruptedPods }),
    conditions: conditionsOf(budget, allowed, scale.trouble, observedGeneration, timestamp(now)),
  }
}

function conditionsOf(
  budget: ApiObject,
  allowed: number,
  trouble: string | undefined,
  observedGeneration: number,
  now: string,
): readonly Json[] {
  const known = findCondition(arrayAt(objectAt(budget, 'status'), 'conditions'), 'DisruptionAllowed')
  const status = allowed > 0 ? 'True' : 'False'
  const reason = trouble ? 'SyncFailed' : allowed > 0 ? 'SufficientPods' : 'InsufficientPods'
  const lastTransitionTime = known?.['status'] === status ? (known['lastTransitionTime'] ?? now) : now
  return [{ type: 'DisruptionAllowed', status, reason, message: trouble ?? '', observedGeneration, lastTransitionTime }]
}

/** Pods whose eviction was allowed and that are still there: they count as gone, for a while. */
function disruptedOf(budget: ApiObject, pods: readonly ApiObject[], now: number): Readonly<Record<string, string>> {
  const names = new Set(pods.filter((pod) => !isDeleting(pod)).map(nameOf))
  const known = Object.entries(objectAt(objectAt(budget, 'status'), 'disruptedPods'))
  return Object.fromEntries(
    known
      .map(([name, time]) => [name, String(time)] as const)
      .filter(([name, time]) => names.has(name) && endOfEviction(time) > now),
  )
}

function endOfEviction(time: string): number {
  return Date.parse(time) + EVICTION.milliseconds
}

/** How many pods there should be, and how many of them have to be healthy. */
function scaleOf(api: ApiContext, budget: ApiObject, pods: readonly ApiObject[]): Scale {
  const { maxUnavailable: most, minAvailable: least } = objectAt(budget, 'spec')
  if (typeof least === 'number') return { expected: pods.length, desired: least }
  if (least === undefined && most === undefined) return { expected: 0, desired: 0 }
  const found = expectedOf(api, pods)
  if (typeof found === 'string') return { expected: 0, desired: 0, trouble: found }
  const desired = most === undefined ? shareOf(least, found, 'up') : Math.max(0, found - shareOf(most, found, 'up'))
  return { expected: found, desired }
}

/** What the owners of the pods ask for; a text where one of them has no size. */
function expectedOf(api: ApiContext, pods: readonly ApiObject[]): number | string {
  const sizes = new Map<string, number>()
  for (const pod of pods) {
    const owner = topOwner(api, pod)
    if (!owner) continue
    const definition = api.registry.findKind(owner.apiVersion, owner.kind)
    if (!definition?.scale) {
      const name = definition ? `${definition.plural}.${definition.group}` : owner.kind
      return `${name} does not implement the scale subresource`
    }
    const size = at(owner, ...definition.scale.specReplicas)
    sizes.set(uidOf(owner), typeof size === 'number' ? size : 0)
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0)
}

/** The owner that is asked for a number of pods: the Deployment of their ReplicaSet, where it has one. */
function topOwner(api: ApiContext, pod: ApiObject): ApiObject | undefined {
  const owner = ownerOf(api, pod)
  return owner?.kind === 'ReplicaSet' ? (ownerOf(api, owner) ?? owner) : owner
}

function ownerOf(api: ApiContext, object: ApiObject): ApiObject | undefined {
  const reference = controllerOf(object)
  if (!isJsonObject(reference)) return undefined
  const definition = api.registry.findKind(textAt(reference, 'apiVersion'), textAt(reference, 'kind'))
  if (!definition) return undefined
  const key = keyOf(definition.namespaced ? namespaceOf(object) : '', textAt(reference, 'name'))
  const found = api.store.get(resourceOf(definition), key)
  return found && uidOf(found) === reference['uid'] ? found : undefined
}
