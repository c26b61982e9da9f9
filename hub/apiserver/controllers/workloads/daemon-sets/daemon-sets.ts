import { createReconciler, type Reconciler } from '../../../../../platform/lifecycle/index.ts'
import { ms } from '../../../../../platform/time/index.ts'
import {
  isDeleting,
  labelsOf,
  nameOf,
  namespaceOf,
  objectAt,
  sameJson,
  textAt,
  uidOf,
  withContent,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import type { ApiContext } from '../../../rest/context.ts'
import { edit, NODES, PODS } from '../../changes.ts'
import type { Controller, ControllerOptions } from '../../controller.ts'
import { tellEvent } from '../../events.ts'
import { numberAt, shareOf, withoutZeros } from '../figures.ts'
import { createPod, deletePod, isEndingNamespace, MOST_AT_ONCE, slowStart, type Work } from '../making.ts'
import { claim, follow, isControlledBy } from '../owners.ts'
import { isOver, isReady, untilAvailable } from '../pods.ts'
import { fitOf, HASH_LABEL, isUpdated, specFor, targetOf } from './daemon-pods.ts'
import { FailedPods } from './failed-pods.ts'
import { DAEMON_SETS, forgetOld, type History, historyOf } from './history.ts'
import { type Aim, byAge, hasFailed, type Place, place, replaceOld, type Step } from './plan.ts'

const GENERATION = 'deprecated.daemonset.template.generation'

/** Keeps one pod of each DaemonSet on each node that is one for it. */
export function daemonSets({ api, metrics }: ControllerOptions): Controller {
  const failures = new FailedPods(api.clock)
  const reconciler: Reconciler = createReconciler({
    name: 'daemon-sets',
    workers: 2,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (key, signal) => {
      const set = api.store.get(DAEMON_SETS, key)
      if (!set || isDeleting(set)) return
      const wait = await reconcile({ api, component: 'daemonset-controller', signal }, set, failures)
      if (Number.isFinite(wait)) reconciler.enqueueAfter(key, ms(wait))
    },
  })
  const enqueue = (key: string) => void reconciler.enqueue(key)
  return {
    watch() {
      const following = follow(api, { owners: DAEMON_SETS, kind: 'DaemonSet', dependents: PODS, enqueue })
      const nodes = api.store.onChange((resource, { before, after }) => {
        if (resource !== NODES || (before && after && sameJson(traitsOf(before), traitsOf(after)))) return
        for (const [key] of api.store.list(DAEMON_SETS)) enqueue(key)
      })
      return {
        [Symbol.dispose]() {
          following[Symbol.dispose]()
          nodes[Symbol.dispose]()
        },
      }
    },
    run: (signal) => reconciler.run(signal),
  }
}

/** Answers with the ms after which it has to be looked at again; Infinity for never. */
async function reconcile(work: Work, set: ApiObject, failures: FailedPods): Promise<number> {
  const { api, signal } = work
  const history = await historyOf(work, set)
  await claim(api, set, PODS, signal)
  let places = placesOf(api, set)
  const aim = aimOf(api, set, history, places)
  const held = { wait: Number.POSITIVE_INFINITY }
  let failure: { readonly error: unknown } | undefined
  try {
    await take(work, set, history, stray(api, set, places))
    for (const each of places) {
      const step = place(each, aim)
      await take(work, set, history, {
        create: [],
        remove: await due(work, set, step.remove, each.node, failures, held),
      })
    }
    await take(work, set, history, { create: places.flatMap((each) => place(each, aim).create), remove: [] })
    places = placesOf(api, set)
    if (textAt(objectAt(objectAt(set, 'spec'), 'updateStrategy'), 'type') === 'RollingUpdate') {
      await take(work, set, history, replaceOld(places, aim))
    }
    await forgetOld(work, set, history)
  } catch (error) {
    failure = { error }
  }
  await writeStatus(work, set, history)
  if (failure && !isEndingNamespace(failure.error)) throw failure.error
  const least = minReadySeconds(set)
  const waits = placesOf(api, set).flatMap(({ pods }) => pods.map((pod) => untilAvailable(pod, least, api.clock.now())))
  return Math.min(held.wait, ...waits.filter((wait) => wait > 0))
}

async function take(work: Work, set: ApiObject, { hash }: History, { create, remove }: Step): Promise<void> {
  await Promise.all(remove.slice(0, MOST_AT_ONCE).map((pod) => deletePod(work, set, pod)))
  const template = objectAt(objectAt(set, 'spec'), 'template')
  const generation = textAt(objectAt(set.metadata, 'annotations'), GENERATION)
  const labels = { [HASH_LABEL]: hash, ...(generation === '' ? {} : { 'pod-template-generation': generation }) }
  await slowStart(Math.min(create.length, MOST_AT_ONCE), (position) =>
    createPod(work, set, template, { labels, spec: specFor(set, create[position] ?? '') }),
  )
}

/** Pods that are to go now: one that failed again and again waits longer each time. */
async function due(
  { api, component, signal }: Work,
  set: ApiObject,
  pods: readonly ApiObject[],
  node: string,
  failures: FailedPods,
  held: { wait: number },
): Promise<readonly ApiObject[]> {
  const found: ApiObject[] = []
  for (const pod of pods) {
    const path = `${namespaceOf(pod)}/${nameOf(pod)} on node ${node}`
    if (hasFailed(pod)) {
      const wait = failures.untilDue(uidOf(set), node)
      if (wait > 0) {
        held.wait = Math.min(held.wait, wait)
        continue
      }
      const message = `Found failed daemon pod ${path}, will try to kill it`
      await tellEvent(api, component, set, { type: 'Warning', reason: 'FailedDaemonPod', message }, signal)
    } else if (isOver(pod)) {
      const message = `Found succeeded daemon pod ${path}, will try to delete it`
      await tellEvent(api, component, set, { type: 'Normal', reason: 'SucceededDaemonPod', message }, signal)
    }
    found.push(pod)
  }
  return found
}

function placesOf(api: ApiContext, set: ApiObject): readonly Place[] {
  const pods = Map.groupBy(ownPods(api, set), targetOf)
  return api.store.list(NODES).map(([, node]) => ({
    node: nameOf(node),
    fit: fitOf(set, node),
    pods: byAge(pods.get(nameOf(node)) ?? []),
  }))
}

/** Pods that wait for a node that is not there any more. Those that were bound to it are for others to clear away. */
function stray(api: ApiContext, set: ApiObject, places: readonly Place[]): Step {
  const nodes = new Set(places.map(({ node }) => node))
  const isLost = (pod: ApiObject) => textAt(objectAt(pod, 'spec'), 'nodeName') === '' && !nodes.has(targetOf(pod))
  return { create: [], remove: ownPods(api, set).filter((pod) => isLost(pod) && !isDeleting(pod)) }
}

function ownPods(api: ApiContext, set: ApiObject): readonly ApiObject[] {
  return api.store
    .list(PODS, `${namespaceOf(set)}/`)
    .flatMap(([, pod]) => (isControlledBy(pod, set) && !(isDeleting(pod) && isOver(pod)) ? [pod] : []))
}

function aimOf(api: ApiContext, set: ApiObject, { hash }: History, places: readonly Place[]): Aim {
  const rolling = objectAt(objectAt(objectAt(set, 'spec'), 'updateStrategy'), 'rollingUpdate')
  const desired = places.filter(({ fit }) => fit.isWanted).length
  const surge = shareOf(rolling['maxSurge'], desired, 'up')
  const unavailable = shareOf(rolling['maxUnavailable'], desired, 'up')
  const least = minReadySeconds(set)
  return {
    hash,
    surge,
    unavailable: surge + unavailable === 0 ? 1 : unavailable,
    isAvailable: (pod) => untilAvailable(pod, least, api.clock.now()) === 0,
  }
}

async function writeStatus({ api, signal }: Work, set: ApiObject, { hash }: History): Promise<void> {
  const places = placesOf(api, set)
  const wanted = places.filter(({ fit }) => fit.isWanted)
  const present = wanted.flatMap(({ pods }) => pods.slice(0, 1))
  const least = minReadySeconds(set)
  const available = present.filter((pod) => untilAvailable(pod, least, api.clock.now()) === 0).length
  const propose = (current: ApiObject) =>
    withContent(current, {
      status: {
        ...withoutZeros({
          collisionCount: objectAt(current, 'status')['collisionCount'],
          observedGeneration: numberAt(set.metadata, 'generation'),
          updatedNumberScheduled: present.filter((pod) => isUpdated(pod, hash)).length,
          numberAvailable: available,
          numberUnavailable: wanted.length - available,
        }),
        desiredNumberScheduled: wanted.length,
        currentNumberScheduled: present.length,
        numberMisscheduled: places.filter(({ fit, pods }) => !fit.isWanted && pods.length > 0).length,
        numberReady: present.filter(isReady).length,
      },
    })
  await edit(api, DAEMON_SETS, set, 'status', propose, signal)
}

function minReadySeconds(set: ApiObject): number {
  return numberAt(objectAt(set, 'spec'), 'minReadySeconds')
}

/** What of a node may make it one for daemons, or not. */
function traitsOf(node: ApiObject) {
  const spec = objectAt(node, 'spec')
  return { ...labelsOf(node), '': [spec['taints'] ?? [], spec['unschedulable'] ?? false] }
}
