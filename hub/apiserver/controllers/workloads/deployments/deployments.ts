import { createReconciler, type Reconciler } from '../../../../../platform/lifecycle/index.ts'
import { ms, seconds } from '../../../../../platform/time/index.ts'
import { isDeleting, namespaceOf, objectAt, timestamp, uidOf, withContent } from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { keyOf } from '../../../../serving/objects/registry.ts'
import type { ApiContext } from '../../../rest/context.ts'
import { edit, PODS, remove } from '../../changes.ts'
import type { Controller, ControllerOptions } from '../../controller.ts'
import { numberAt } from '../figures.ts'
import type { Work } from '../making.ts'
import { claim, controllerOf, follow } from '../owners.ts'
import { isOver } from '../pods.ts'
import { REPLICA_SETS } from '../replica-sets.ts'
import { DEPLOYMENTS, newReplicaSet } from './new-replica-set.ts'
import { goalOf, isRescaled, newSize, rescale, shrinkOld, sizedOf } from './plan.ts'
import { findNew, isSameTemplate, revisionOf, templateOf } from './revisions.ts'
import { resizeAll } from './scaling.ts'
import { countedStatus, isComplete, pauseConditions, rolloutStatus, untilStuck } from './status.ts'

/** Timers fire a little early; a deadline is looked at when it is over. */
const SLACK = seconds(1)

interface Parts {
  readonly deployment: ApiObject
  readonly sets: readonly ApiObject[]
}

/** Brings ReplicaSets to what each Deployment asks for, step by step as its strategy says. */
export function deployments({ api, metrics }: ControllerOptions): Controller {
  const reconciler: Reconciler = createReconciler({
    name: 'deployments',
    workers: 4,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (key, signal) => {
      await reconcile({ api, component: 'deployment-controller', signal }, key)
      const after = api.store.get(DEPLOYMENTS, key)
      const wait = after && untilStuck(after, objectAt(after, 'status'), api.clock.now())
      if (wait !== undefined) reconciler.enqueueAfter(key, ms(Math.max(0, wait) + SLACK.milliseconds))
    },
  })
  return {
    watch() {
      const enqueue = (key: string) => void reconciler.enqueue(key)
      const following = follow(api, { owners: DEPLOYMENTS, kind: 'Deployment', dependents: REPLICA_SETS, enqueue })
      // With Recreate the last pod that ends lets the new ones begin.
      const pods = api.store.onChange((resource, { before, after }) => {
        const set = resource === PODS && before && !after ? setOf(api, before) : undefined
        const name = set && controllerOf(set)?.['name']
        if (set && typeof name === 'string') enqueue(keyOf(namespaceOf(set), name))
      })
      return {
        [Symbol.dispose]() {
          following[Symbol.dispose]()
          pods[Symbol.dispose]()
        },
      }
    },
    run: (signal) => reconciler.run(signal),
  }
}

async function reconcile(work: Work, key: string): Promise<void> {
  const { api, signal } = work
  const found = api.store.get(DEPLOYMENTS, key)
  if (!found) return
  const sets = await claim(api, found, REPLICA_SETS, signal)
  const current = () => api.store.get(DEPLOYMENTS, key) ?? found
  const isIt = () => uidOf(current()) === uidOf(found)
  if (!isDeleting(found)) {
    await notePause(work, found)
    await act(work, { deployment: current(), sets })
  }
  if (isIt()) await writeStatus(work, current())
}

async function act(work: Work, parts: Parts): Promise<void> {
  const { deployment, sets } = parts
  const goal = goalOf(deployment)
  const isPaused = objectAt(deployment, 'spec')['paused'] === true
  if (isPaused || isRescaled(goal, sets.map(sizedOf))) {
    const newest = await newReplicaSet(work, deployment, sets, false)
    const old = oldOnes(deployment, sets)
    await resizeAll(work, deployment, rescale(goal, newest && sizedOf(newest), old.map(sizedOf)))
    if (isPaused) await forgetOld(work, deployment, old)
    return
  }
  if (goal.isRolling) await roll(work, parts)
  else await recreate(work, parts)
}

async function roll(work: Work, { deployment, sets }: Parts): Promise<void> {
  const newest = await newReplicaSet(work, deployment, sets, true)
  if (!newest) return
  const goal = goalOf(deployment)
  const old = oldOnes(deployment, sets)
  const size = newSize(goal, [...old, newest].map(sizedOf), sizedOf(newest))
  if (await resizeAll(work, deployment, [{ set: sizedOf(newest), size }])) return
  const shrunk = shrinkOld(goal, old.map(sizedOf), sizedOf(newest))
  if (await resizeAll(work, deployment, shrunk)) return
  if (isComplete(deployment, objectAt(deployment, 'status'))) await forgetOld(work, deployment, old)
}

/** All old pods end before the first new one begins. */
async function recreate(work: Work, { deployment, sets }: Parts): Promise<void> {
  const old = oldOnes(deployment, sets)
  const down = old.map(sizedOf).filter(({ size }) => size > 0)
  if (
    await resizeAll(
      work,
      deployment,
      down.map((set) => ({ set, size: 0 })),
    )
  )
    return
  const isRunning = work.api.store
    .list(PODS, `${namespaceOf(deployment)}/`)
    .some(([, pod]) => !isOver(pod) && old.some((set) => owns(set, pod)))
  if (isRunning) return
  const newest = await newReplicaSet(work, deployment, sets, true)
  if (!newest) return
  await resizeAll(work, deployment, [{ set: sizedOf(newest), size: goalOf(deployment).replicas }])
  if (isComplete(deployment, objectAt(deployment, 'status'))) await forgetOld(work, deployment, old)
}

/** Keeps as many revisions that `kubectl rollout undo` may go back to as the Deployment says. */
async function forgetOld({ api, signal }: Work, deployment: ApiObject, old: readonly ApiObject[]): Promise<void> {
  const limit = numberAt(objectAt(deployment, 'spec'), 'revisionHistoryLimit', 10)
  const kept = old.filter((set) => !isDeleting(set))
  const surplus = [...kept].sort((one, other) => revisionOf(one) - revisionOf(other)).slice(0, kept.length - limit)
  if (kept.length <= limit) return
  for (const set of surplus) {
    const { size, total } = sizedOf(set)
    const isSeen = numberAt(objectAt(set, 'status'), 'observedGeneration') >= numberAt(set.metadata, 'generation')
    if (size === 0 && total === 0 && isSeen) await remove(api, REPLICA_SETS, set, signal)
  }
}

async function notePause({ api, signal }: Work, deployment: ApiObject): Promise<void> {
  const conditions = pauseConditions({ deployment, now: timestamp(api.clock.now()) })
  if (!conditions) return
  const propose = (current: ApiObject) =>
    withContent(current, { status: { ...objectAt(current, 'status'), conditions } })
  await edit(api, DEPLOYMENTS, deployment, 'status', propose, signal)
}

async function writeStatus({ api, signal }: Work, deployment: ApiObject): Promise<void> {
  const sets = api.store
    .list(REPLICA_SETS, `${namespaceOf(deployment)}/`)
    .flatMap(([, set]) => (owns(deployment, set) ? [set] : []))
  const propose = (current: ApiObject): ApiObject => {
    const newest = findNew(current, sets)
    const rollout = { deployment: current, sets, newest, now: timestamp(api.clock.now()) }
    const isHeld = isDeleting(current) || objectAt(current, 'spec')['paused'] === true
    return withContent(current, { status: isHeld ? countedStatus(rollout) : rolloutStatus(rollout) })
  }
  await edit(api, DEPLOYMENTS, deployment, 'status', propose, signal)
}

function setOf(api: ApiContext, pod: ApiObject): ApiObject | undefined {
  const name = controllerOf(pod)?.['name']
  const set = typeof name === 'string' ? api.store.get(REPLICA_SETS, keyOf(namespaceOf(pod), name)) : undefined
  return set && owns(set, pod) ? set : undefined
}

function oldOnes(deployment: ApiObject, sets: readonly ApiObject[]): readonly ApiObject[] {
  return sets.filter((set) => !isSameTemplate(templateOf(set), templateOf(deployment)))
}

function owns(owner: ApiObject, dependent: ApiObject): boolean {
  return controllerOf(dependent)?.['uid'] === uidOf(owner)
}
