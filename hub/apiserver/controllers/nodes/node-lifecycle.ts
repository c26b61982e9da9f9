import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import { type Duration, ms, seconds } from '../../../../platform/time/index.ts'
import { conditionOf, conditionStatus, nameOf, sameJson, timestamp, withCondition } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { ApiContext } from '../../rest/context.ts'
import type { Controller, ControllerOptions } from '../controller.ts'
import { edit, leaseHolder, leaseOf, NODES, nodeNamed, PODS, podsOn, tell } from './changes.ts'
import { Fleet } from './fleet.ts'
import { Heartbeats } from './heartbeats.ts'
import { evictionKey, taintedNode } from './taints.ts'
import { unknownNode } from './unknown-node.ts'

/** Kubernetes' own: a node that renews every 10 s may miss three renewals. */
const GRACE = seconds(40)
/** A node that is new gets longer. */
const STARTUP_FACTOR = 1.5
const TIMER_SLACK = ms(100)

/**
 * Keeps Nodes truthful while they cannot speak: conditions of a silent node turn Unknown, taints follow conditions, and pods
 * of a node that is lost are no longer ready. After a start each node gets its full grace: this API was away, not they.
 */
export function nodeLifecycle(options: ControllerOptions & { readonly grace?: Duration }): Controller {
  const { api, metrics, grace: usual = GRACE } = options
  const tick = ms(usual.milliseconds / 8)
  const heartbeats = new Heartbeats(api.clock, tick)
  const fleet = new Fleet(api.clock)
  const hear = (name: string) => heartbeats.hear(nodeNamed(api, name), leaseOf(api, name), name)
  const reconciler: Reconciler = createReconciler({
    name: 'nodes',
    workers: 4,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (name, signal) => {
      const node = nodeNamed(api, name)
      if (!node) return heartbeats.forget(name)
      hear(name)
      const grace = conditionOf(node, 'Ready') ? usual : ms(usual.milliseconds * STARTUP_FACTOR)
      const silence = heartbeats.silenceOf(name)
      if (silence.milliseconds >= grace.milliseconds) await markUnknown(api, node, signal)
      else reconciler.enqueueAfter(name, ms(grace.milliseconds - silence.milliseconds + TIMER_SLACK.milliseconds))
      const again = await taint(api, fleet, name, signal)
      if (again) reconciler.enqueueAfter(name, again)
    },
  })
  const enqueueLost = () => {
    for (const [, node] of api.store.list(NODES)) if (evictionKey(node)) reconciler.enqueue(nameOf(node))
  }
  return {
    watch() {
      for (const [, node] of api.store.list(NODES)) {
        hear(nameOf(node))
        fleet.note(nameOf(node), node)
        reconciler.enqueue(nameOf(node))
      }
      return api.store.onChange((resource, { key, after }) => {
        const holder = leaseHolder(resource, key)
        if (holder !== undefined) return hear(holder)
        if (resource !== NODES) return
        const name = key.slice(1)
        if (after) hear(name)
        reconciler.enqueue(name)
        // How many are lost decides what becomes of the others.
        if (fleet.note(name, after)) enqueueLost()
      })
    },
    async run(signal) {
      const working = reconciler.run(signal)
      while (!signal.aborted) {
        heartbeats.tick()
        await api.clock.sleep(tick, signal).catch(() => undefined)
      }
      await working
    },
  }
}

async function markUnknown(api: ApiContext, node: ApiObject, signal: AbortSignal): Promise<void> {
  const name = nameOf(node)
  if (!sameJson(unknownNode(node, 0), node)) await tellUnknown(api, node, signal)
  // Each time, and not only with the news: what comes between is made up for by the next look.
  for (const key of podsOn(api, name)) {
    if (conditionStatus(nodeNamed(api, name) ?? node, 'Ready') !== 'Unknown') return
    await markNotReady(api, key, signal)
  }
}

async function tellUnknown(api: ApiContext, node: ApiObject, signal: AbortSignal): Promise<void> {
  await edit(api, NODES, node, 'status', (current) => unknownNode(current, api.clock.now()), signal)
  const name = nameOf(node)
  api.log.warn('A node is silent: nobody knows how it is', { node: name })
  if (conditionStatus(node, 'Ready') !== 'True') return
  const message = `Node ${name} status is now: NodeNotReady`
  await tell(api, node, { type: 'Normal', reason: 'NodeNotReady', message }, signal)
}

/** Nobody knows whether it still serves, so nobody is sent to it. The node says otherwise when it is back. */
async function markNotReady(api: ApiContext, key: string, signal: AbortSignal): Promise<void> {
  const pod = api.store.get(PODS, key)
  if (!pod || conditionStatus(pod, 'Ready') !== 'True') return
  const lastTransitionTime = timestamp(api.clock.now())
  const condition = { ...conditionOf(pod, 'Ready'), type: 'Ready', status: 'False', lastTransitionTime }
  await edit(api, PODS, pod, 'status', (current) => withCondition(current, condition), signal)
}

/** Taints as the conditions say now; answers when to look again. */
async function taint(api: ApiContext, fleet: Fleet, name: string, signal: AbortSignal) {
  const node = nodeNamed(api, name)
  if (!node) return undefined
  const now = api.clock.now()
  const kept = taintedNode(node, 'keep', now)
  // The fleet is asked for each node that would be given up now, and for none twice.
  const isGivenUp = sameJson(kept, taintedNode(node, 'add', now))
  const { evicting, again } = evictionKey(node) && !isGivenUp ? fleet.admit() : fleet.keep()
  const wanted = taintedNode(node, evicting, now)
  if (wanted === node) return again
  await edit(api, NODES, node, '', (current) => taintedNode(current, evicting, api.clock.now()), signal)
  return again
}
