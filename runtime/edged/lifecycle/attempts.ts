import type { Json } from '../../../schemas/index.ts'
import { isObject, listIn, numberIn, objectIn, textIn } from '../pod/json.ts'
import { ANNOTATIONS } from '../state/labels.ts'
import type { ContainerView, PodView } from '../state/pod-view.ts'
import { LOST } from '../status/container-state.ts'
import type { PodRecord } from './pod-record.ts'

/** How many containers of this name the pod had before the next one; what the runtime has forgotten counts as well. */
export function nextAttempt(view: PodView, record: PodRecord, name: string): number {
  const ofName = view.containers.filter(({ metadata }) => metadata.name === name)
  const [latest] = ofName
  if (latest?.state === 'created') return attemptOf(latest)
  const known = ['containerStatuses', 'initContainerStatuses'].flatMap((list) => listIn(record.status, list))
  const before = known.find((each) => textIn(each, 'name') === name)
  const kept = before && textIn(before, 'containerID') ? (numberIn(before, 'restartCount') ?? 0) : -1
  if (before && isCountedAlready(before)) return Math.max(kept, ...ofName.map((each) => attemptOf(each) + 1))
  return Math.max(kept, ...ofName.map(attemptOf)) + 1
}

/** Its end was told as that of a container that was lost, and the one that has to follow with it. */
function isCountedAlready(status: Json): boolean {
  const last = objectIn(objectIn(status, 'lastState'), 'terminated')
  const isSame = textIn(last, 'containerID') === textIn(status, 'containerID')
  return isSame && textIn(last, 'reason') === LOST && isObject(objectIn(status, 'state')['waiting'])
}

function attemptOf({ annotations, metadata }: ContainerView): number {
  const annotated = Number(annotations[ANNOTATIONS.restartCount])
  return Number.isInteger(annotated) ? Math.max(annotated, metadata.attempt) : metadata.attempt
}
