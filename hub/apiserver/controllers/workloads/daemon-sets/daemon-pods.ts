import type { Json, JsonObject } from '../../../../../schemas/index.ts'
import {
  arrayAt,
  isJsonObject,
  labelsOf,
  nameOf,
  objectAt,
  textAt,
  withContent,
} from '../../../../kube/object/index.ts'
import type { ApiObject } from '../../../../kube/resource.ts'
import { nodeOfPod } from '../../changes.ts'
import { untolerated } from '../../scheduler/fitting.ts'
import { isWanted } from '../../scheduler/node-terms.ts'

export const HASH_LABEL = 'controller-revision-hash'

/** What a daemon stays through, where and how its author says nothing of it. */
const TOLERATED: readonly (readonly [key: string, effect: string])[] = [
  ['node.kubernetes.io/not-ready', 'NoExecute'],
  ['node.kubernetes.io/unreachable', 'NoExecute'],
  ['node.kubernetes.io/disk-pressure', 'NoSchedule'],
  ['node.kubernetes.io/memory-pressure', 'NoSchedule'],
  ['node.kubernetes.io/pid-pressure', 'NoSchedule'],
  ['node.kubernetes.io/unschedulable', 'NoSchedule'],
]
const NETWORK = ['node.kubernetes.io/network-unavailable', 'NoSchedule'] as const

export interface Fit {
  /** A pod should be made there. */
  readonly isWanted: boolean
  /** One that is there may stay. */
  readonly isAllowed: boolean
}

/** Whether a node is one for the pods of a DaemonSet. How much room it has is for the scheduler to say. */
export function fitOf(set: ApiObject, node: ApiObject): Fit {
  const pod = withContent({ ...set, kind: 'Pod' }, { spec: daemonSpec(templateSpec(set)) })
  const named = textAt(objectAt(pod, 'spec'), 'nodeName')
  if ((named !== '' && named !== nameOf(node)) || !isWanted(pod, node)) return { isWanted: false, isAllowed: false }
  return {
    isWanted: !untolerated(pod, node, ['NoSchedule', 'NoExecute']),
    isAllowed: !untolerated(pod, node, ['NoExecute']),
  }
}

/** The spec of the pod of one node: the scheduler may only choose that node. */
export function specFor(set: ApiObject, node: string): JsonObject {
  const spec = daemonSpec(templateSpec(set))
  const affinity = objectAt(spec, 'affinity')
  const term = { matchFields: [{ key: 'metadata.name', operator: 'In', values: [node] }] }
  return {
    ...spec,
    affinity: {
      ...affinity,
      nodeAffinity: {
        ...objectAt(affinity, 'nodeAffinity'),
        requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
      },
    },
  }
}

/** The node that a pod is on, or is meant for. */
export function targetOf(pod: ApiObject): string {
  const bound = nodeOfPod(pod)
  if (bound !== '') return bound
  const affinity = objectAt(objectAt(objectAt(pod, 'spec'), 'affinity'), 'nodeAffinity')
  const required = objectAt(affinity, 'requiredDuringSchedulingIgnoredDuringExecution')
  for (const term of arrayAt(required, 'nodeSelectorTerms').filter(isJsonObject)) {
    const [field] = arrayAt(term, 'matchFields').filter(isJsonObject)
    const [name] = field ? arrayAt(field, 'values') : []
    if (typeof name === 'string') return name
  }
  return ''
}

export function isUpdated(pod: ApiObject, hash: string): boolean {
  return labelsOf(pod)[HASH_LABEL] === hash
}

function templateSpec(set: ApiObject): JsonObject {
  return objectAt(objectAt(objectAt(set, 'spec'), 'template'), 'spec')
}

function daemonSpec(spec: JsonObject): JsonObject {
  const given = arrayAt(spec, 'tolerations')
  const wanted = spec['hostNetwork'] === true ? [...TOLERATED, NETWORK] : TOLERATED
  const kept = given.filter((each) => !wanted.some(([key, effect]) => isAbout(each, key, effect)))
  const added = wanted.map(([key, effect]) => ({ key, operator: 'Exists', effect }))
  return { ...spec, tolerations: [...kept, ...added] }
}

/** The daemon's own toleration takes the place of one of the same taint, which may be for a time only. */
function isAbout(toleration: Json, key: string, effect: string): boolean {
  if (!isJsonObject(toleration)) return false
  const isExists = textAt(toleration, 'operator') === 'Exists'
  return isExists && textAt(toleration, 'key') === key && textAt(toleration, 'effect') === effect
}
