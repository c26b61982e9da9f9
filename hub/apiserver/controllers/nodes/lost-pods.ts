import { seconds } from '../../../../platform/time/index.ts'
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
import { edit, nodeNamed, nodeOfPod, PODS, podsOn, removePod } from './changes.ts'
import { podPeriods } from './pod-periods.ts'

/** Kubernetes' own: a Node that was deleted and comes back at once keeps its pods. */
const QUARANTINE = seconds(40)

/** Removes pods of nodes that are not there: nobody is left who could say that they have ended. */
export function lostPods(options: ControllerOptions): Controller {
  const { api } = options
  return podPeriods(options, {
    name: 'lost-pods',
    workers: 2,
    period: (pod) => (isLost(api, pod) ? QUARANTINE : undefined),
    concerned: (key, before, after) => (before && after ? [] : podsOn(api, key.slice(1))),
    act: (pod, signal) => collect(api, pod, signal),
  })
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
