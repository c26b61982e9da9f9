import { arrayAt, finalizersOf, isDeleting, objectAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'

/** The object is asked to go, and nobody holds it any more. */
export function isFinished(object: ApiObject): boolean {
  return isDeleting(object) && finalizersOf(object).length === 0 && !isHeldNamespace(object) && !isHeldPod(object)
}

/** A namespace is held by spec.finalizers until its content is gone. */
export function isHeldNamespace(object: ApiObject): boolean {
  if (object.apiVersion !== 'v1' || object.kind !== 'Namespace') return false
  return arrayAt(objectAt(object, 'spec'), 'finalizers').length > 0
}

/** A pod that its node still has to end; the node, or whoever gives up on it, deletes it again with a grace period of 0. */
function isHeldPod(object: ApiObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Pod' && gracePeriodIn(object) > 0
}

/** Of an object that is asked to go, in seconds. */
export function gracePeriodIn({ metadata }: ApiObject): number {
  const { deletionGracePeriodSeconds: grace } = metadata
  return typeof grace === 'number' ? grace : 0
}
