import {
  isDeleting,
  nameOf,
  objectAt,
  textAt,
  timestamp,
  uidOf,
  withCondition,
  withContent,
} from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest, conflict, invalid } from '../../kube/status.ts'
import type { ApiContext, Change } from './context.ts'
import { updateObject } from './update.ts'

/** Takes a Binding: the pod goes to the node that it names, once. Throws a Status. */
export async function bindPod(api: ApiContext, change: Change, name: string, binding: ApiObject): Promise<void> {
  if (binding.kind !== 'Binding') throw badRequest(`the body is no Binding but a ${binding.kind}`)
  const given = nameOf(binding)
  if (given !== '' && given !== name) throw badRequest(`name in URL does not match name in Binding object: ${given}`)
  const target = objectAt(binding, 'target')
  const kind = textAt(target, 'kind')
  const node = textAt(target, 'name')
  if (node === '') throw refused(change, name, 'FieldValueRequired', 'Required value', 'target.name')
  if (kind !== '' && kind !== 'Node') {
    const message = `Unsupported value: ${JSON.stringify(kind)}: supported values: "Node", "<empty>"`
    throw refused(change, name, 'FieldValueNotSupported', message, 'target.kind')
  }
  const scheduled = {
    type: 'PodScheduled',
    status: 'True',
    lastProbeTime: null,
    lastTransitionTime: timestamp(api.clock.now()),
  }
  const wanted = textAt(binding.metadata, 'uid')
  const propose = (pod: ApiObject) => {
    if (wanted !== '' && wanted !== uidOf(pod)) {
      const why = `Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uidOf(pod)}`
      throw conflict(change.definition, name, why)
    }
    if (isDeleting(pod))
      throw conflict(change.definition, name, `pod ${name} is being deleted, cannot be assigned to a host`)
    const spec = objectAt(pod, 'spec')
    const bound = textAt(spec, 'nodeName')
    if (bound !== '') throw conflict(change.definition, name, `pod ${name} is already assigned to node "${bound}"`)
    return withCondition(withContent(pod, { spec: { ...spec, nodeName: node } }), scheduled)
  }
  await updateObject(api, change, { name, subresource: 'binding' }, { propose })
}

function refused({ definition }: Change, name: string, reason: string, message: string, field: string) {
  return invalid(definition, name, [{ reason, message, field }])
}
