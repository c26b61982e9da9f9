import { isDeleting, labelsOf, nameOf, objectAt, textAt, timestamp, withContent } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { selects } from '../../kube/selectors/index.ts'
import { failure, forbidden, internalError, type StatusError } from '../../kube/status.ts'
import { type ApiContext, type Change, systemChange } from './context.ts'
import { updateObject } from './update.ts'

export const BUDGETS = 'policy/poddisruptionbudgets'

/** Of evictions that were allowed and not yet seen. */
const MOST_DISRUPTED = 2000
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget."

/** Takes the eviction of a pod off its disruption budget. Throws a Status where the budget does not allow it. */
export async function spendBudget(api: ApiContext, change: Change, pod: ApiObject): Promise<void> {
  if (isBeyond(pod)) return
  const budgets = api.store.list(BUDGETS, `${change.namespace}/`).flatMap(([, budget]) => {
    return selects(objectAt(budget, 'spec')['selector'], labelsOf(pod)) ? [budget] : []
  })
  const [budget, other] = budgets
  const definition = api.registry.stored(BUDGETS)
  if (!budget || !definition) return
  if (other) {
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  }
  if (isUnguarded(pod, budget)) return
  const asSystem = { ...systemChange(definition, change.namespace, change.signal), dryRun: change.dryRun }
  const propose = (current: ApiObject) => spent(definition, current, pod, timestamp(api.clock.now()))
  await updateObject(api, asSystem, { name: nameOf(budget), subresource: 'status' }, { propose })
}

/** It serves nobody any more, or not yet. */
function isBeyond(pod: ApiObject): boolean {
  const phase = textAt(objectAt(pod, 'status'), 'phase')
  return isDeleting(pod) || phase === 'Succeeded' || phase === 'Failed' || phase === 'Pending'
}

/** A pod that is not ready may go where that is allowed, or where enough others are. */
function isUnguarded(pod: ApiObject, budget: ApiObject): boolean {
  const conditions = objectAt(pod, 'status')['conditions']
  const isReady =
    Array.isArray(conditions) && conditions.some((each) => each['type'] === 'Ready' && each['status'] === 'True')
  if (isReady) return false
  if (objectAt(budget, 'spec')['unhealthyPodEvictionPolicy'] === 'AlwaysAllow') return true
  const { currentHealthy, desiredHealthy } = figuresOf(budget)
  return currentHealthy >= desiredHealthy && desiredHealthy > 0
}

function spent(definition: Change['definition'], budget: ApiObject, pod: ApiObject, now: string): ApiObject {
  const name = nameOf(budget)
  const status = objectAt(budget, 'status')
  const disrupted = objectAt(status, 'disruptedPods')
  const { disruptionsAllowed, currentHealthy, desiredHealthy, observedGeneration } = figuresOf(budget)
  if (observedGeneration < Number(budget.metadata['generation'] ?? 0)) {
    throw refusal(`The disruption budget ${name} is still being processed by the server.`, 10)
  }
  if (Object.keys(disrupted).length > MOST_DISRUPTED) {
    const why = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller'
    throw forbidden(definition, name, why)
  }
  if (disruptionsAllowed <= 0) {
    throw refusal(
      currentHealthy <= desiredHealthy
        ? `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`
        : `The disruption budget ${name} does not allow evicting pods currently`,
    )
  }
  const disruptedPods = { ...disrupted, [nameOf(pod)]: now }
  return withContent(budget, { status: { ...status, disruptionsAllowed: disruptionsAllowed - 1, disruptedPods } })
}

function figuresOf(budget: ApiObject) {
  const status = objectAt(budget, 'status')
  const figure = (field: string) => Number(status[field] ?? 0)
  return {
    disruptionsAllowed: figure('disruptionsAllowed'),
    currentHealthy: figure('currentHealthy'),
    desiredHealthy: figure('desiredHealthy'),
    observedGeneration: figure('observedGeneration'),
  }
}

function refusal(message: string, retryAfterSeconds?: number): StatusError {
  const causes = [{ reason: 'DisruptionBudget', message }]
  return failure(429, 'TooManyRequests', REFUSED, {
    causes,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}
