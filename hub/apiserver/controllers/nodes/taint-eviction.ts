import { type Duration, seconds } from '../../../../platform/time/index.ts'
import { isDeleting, nameOf, namespaceOf, sameJson, timestamp, withCondition } from '../../../kube/object/index.ts'
import type { ApiObject } from '../../../kube/resource.ts'
import type { ApiContext } from '../../rest/context.ts'
import type { Controller, ControllerOptions } from '../controller.ts'
import { edit, nodeNamed, nodeOfPod, PODS, podsOn, removePod, tell } from './changes.ts'
import { podPeriods } from './pod-periods.ts'
import { evictingTaints } from './taints.ts'
import { secondsTolerated } from './tolerations.ts'

/** Asks pods to go from nodes with NoExecute taints once they have tolerated those for as long as they said. */
export function taintEviction(options: ControllerOptions): Controller {
  const { api } = options
  return podPeriods(options, {
    name: 'evictions',
    workers: 4,
    period: (pod) => toleratedBy(api, pod),
    concerned: (_key, before, after) => (after && !hasSameTaints(before, after) ? podsOn(api, nameOf(after)) : []),
    act: (pod, signal) => evict(api, pod, signal),
  })
}

/** Undefined where nothing drives it away. */
function toleratedBy(api: ApiContext, pod: ApiObject): Duration | undefined {
  const node = nodeNamed(api, nodeOfPod(pod))
  const taints = node ? evictingTaints(node) : []
  if (isDeleting(pod) || taints.length === 0) return undefined
  const tolerated = secondsTolerated(pod, taints)
  return tolerated === Number.POSITIVE_INFINITY ? undefined : seconds(tolerated)
}

function hasSameTaints(before: ApiObject | undefined, after: ApiObject): boolean {
  return sameJson([...evictingTaints(after)], before ? [...evictingTaints(before)] : [])
}

async function evict(api: ApiContext, pod: ApiObject, signal: AbortSignal): Promise<void> {
  const name = `${namespaceOf(pod)}/${nameOf(pod)}`
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'DeletionByTaintManager',
    message: 'Taint manager: deleting due to NoExecute taint',
    lastTransitionTime: timestamp(api.clock.now()),
  }
  await edit(api, PODS, pod, 'status', (current) => withCondition(current, condition), signal)
  await tell(
    api,
    pod,
    { type: 'Normal', reason: 'TaintManagerEviction', message: `Marking for deletion Pod ${name}` },
    signal,
  )
  await removePod(api, pod, signal)
  api.log.warn('A pod has to leave its node, which it tolerated long enough', { pod: name, node: nodeOfPod(pod) })
}
