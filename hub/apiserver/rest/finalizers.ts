import { arrayAt, finalizersOf, isDeleting, objectAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'

/** The object is asked to go, and nobody holds it any more. */
export function isFinished(object: ApiObject): boolean {
  return isDeleting(object) && finalizersOf(object).length === 0 && !isHeldNamespace(object)
}

/** A namespace is held by spec.finalizers until its content is gone. */
export function isHeldNamespace(object: ApiObject): boolean {
  if (object.apiVersion !== 'v1' || object.kind !== 'Namespace') return false
  return arrayAt(objectAt(object, 'spec'), 'finalizers').length > 0
}
