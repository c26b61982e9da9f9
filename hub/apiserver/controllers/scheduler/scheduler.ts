import { createReconciler, type Reconciler } from '../../../../platform/lifecycle/index.ts'
import { minutes, ms, seconds } from '../../../../platform/time/index.ts'
import {
  arrayAt,
  conditionOf,
  isDeleting,
  labelsOf,
  nameOf,
  namespaceOf,
  objectAt,
  sameJson,
  textAt,
  timestamp,
  withCondition,
} from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { ApiContext } from '../../rest/context.ts'
import { edit, NODES, PODS } from '../changes.ts'
import type { Controller, ControllerOptions } from '../controller.ts'
import { tellEvent } from '../events.ts'
import { bindTo } from './bind.ts'
import { chooseNode } from './choice.ts'
import { Cluster } from './cluster.ts'

/** Kubernetes' own: how soon a pod that fitted nowhere is tried again once something changed, and without any change. */
const FIRST_WAIT = seconds(1)
const LONGEST_WAIT = seconds(10)
const AT_LATEST = minutes(5)
const SCHEDULER = 'default-scheduler'

interface Waiting {
  readonly tries: number
  /** Monotonic: not before. */
  readonly until: number
}

/** Gives pods that are bound to no node to the one that suits them best. */
export function scheduler({ api, metrics }: ControllerOptions): Controller {
  const cluster = new Cluster()
  /** By key: pods that fitted nowhere. */
  const waiting = new Map<string, Waiting>()
  const reconciler: Reconciler = createReconciler({
    name: 'scheduler',
    // One at a time, so that each sees what those before it took.
    workers: 1,
    clock: api.clock,
    random: api.random,
    log: api.log,
    metrics,
    reconcile: async (key, signal) => {
      const pod = api.store.get(PODS, key)
      if (!pod || !isOurs(pod)) return void waiting.delete(key)
      if (isGated(pod)) return await mark(api, pod, 'SchedulingGated', GATED, signal)
      const choice = chooseNode(pod, cluster.hosts(), api.random)
      if ('node' in choice) {
        waiting.delete(key)
        return await assign(api, pod, choice.node, signal)
      }
      const tries = (waiting.get(key)?.tries ?? 0) + 1
      const wait = Math.min(FIRST_WAIT.milliseconds * 2 ** (tries - 1), LONGEST_WAIT.milliseconds)
      waiting.set(key, { tries, until: api.clock.monotonic() + wait })
      reconciler.enqueueAfter(key, AT_LATEST)
      await mark(api, pod, 'Unschedulable', choice.message, signal)
      const story = { type: 'Warning', reason: 'FailedScheduling', message: choice.message } as const
      await tellEvent(api, SCHEDULER, pod, story, signal)
    },
  })
  const wake = () => {
    const now = api.clock.monotonic()
    for (const [key, { until }] of waiting) reconciler.enqueueAfter(key, ms(Math.max(0, until - now)))
  }
  metrics.gauge({ name: 'skerry_scheduler_waiting_pods', help: 'Pods that fit on no node.' }).follow(() => waiting.size)
  return {
    watch() {
      for (const [, node] of api.store.list(NODES)) cluster.noteNode(nameOf(node), node)
      for (const [key, pod] of api.store.list(PODS)) {
        cluster.notePod(key, pod)
        if (isOurs(pod)) reconciler.enqueue(key)
      }
      return api.store.onChange((resource, { key, before, after }) => {
        if (resource === NODES) {
          cluster.noteNode(key.slice(1), after)
          if (after && !(before && sameJson(offerOf(before), offerOf(after)))) wake()
        }
        if (resource !== PODS) return
        const isFreed = cluster.notePod(key, after)
        if (isFreed) wake()
        if (!after) waiting.delete(key)
        // What this controller writes into the status is no reason to look again.
        const isNew = !before || !sameJson(before['spec'], after?.['spec'])
        if (after && isNew && isOurs(after)) reconciler.enqueue(key)
      })
    },
    run: (signal) => reconciler.run(signal),
  }
}

const GATED = 'Scheduling is blocked due to non-empty scheduling gates'

function isOurs(pod: ApiObject): boolean {
  const spec = objectAt(pod, 'spec')
  const phase = textAt(objectAt(pod, 'status'), 'phase')
  const isOver = phase === 'Succeeded' || phase === 'Failed'
  return textAt(spec, 'nodeName') === '' && textAt(spec, 'schedulerName') === SCHEDULER && !isDeleting(pod) && !isOver
}

function isGated(pod: ApiObject): boolean {
  return arrayAt(objectAt(pod, 'spec'), 'schedulingGates').length > 0
}

/** What of a node may let a pod in that did not fit before. */
function offerOf(node: ApiObject) {
  const spec = objectAt(node, 'spec')
  const allocatable = objectAt(objectAt(node, 'status'), 'allocatable')
  return { ...labelsOf(node), '': [spec['taints'] ?? [], spec['unschedulable'] ?? false, allocatable] }
}

async function assign(api: ApiContext, pod: ApiObject, node: string, signal: AbortSignal): Promise<void> {
  if (!(await bindTo(api, pod, node, signal))) return
  const message = `Successfully assigned ${namespaceOf(pod)}/${nameOf(pod)} to ${node}`
  await tellEvent(api, SCHEDULER, pod, { type: 'Normal', reason: 'Scheduled', message }, signal)
}

async function mark(
  api: ApiContext,
  pod: ApiObject,
  reason: string,
  message: string,
  signal: AbortSignal,
): Promise<void> {
  const known = conditionOf(pod, 'PodScheduled') ?? {}
  if (known['reason'] === reason && known['message'] === message) return
  const isSame = known['status'] === 'False'
  const condition = {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: isSame ? (known['lastTransitionTime'] ?? null) : timestamp(api.clock.now()),
    reason,
    message,
  }
  await edit(api, PODS, pod, 'status', (current) => withCondition(current, condition), signal)
}
