import type { JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { badRequest, notFound } from '../../kube/status.ts'
import { keyOf } from '../objects/registry.ts'
import type { ResourcePath } from '../requests/paths.ts'
import type { StreamPorts } from './stream-ports.ts'

const PODS = { group: '', plural: 'pods' }

/** Throws a Status. */
export function podAt(store: StreamPorts['store'], { namespace, name }: ResourcePath): ApiObject {
  const pod = store.get('/pods', keyOf(namespace, name))
  if (!pod) throw notFound(PODS, name)
  return pod
}

/** Empty while it has none. */
export function nodeOf(pod: ApiObject): string {
  return textAt(objectAt(pod, 'spec'), 'nodeName')
}

/** The container that is meant: the one that is named, or the only one. Throws a BadRequest Status. */
export function containerOf(pod: ApiObject, asked: string): string {
  const spec = objectAt(pod, 'spec')
  const pods = textAt(pod.metadata, 'name')
  const main = namesIn(spec, 'containers')
  const all = [...namesIn(spec, 'initContainers'), ...main, ...namesIn(spec, 'ephemeralContainers')]
  if (asked !== '') {
    if (!all.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pods}`)
    return asked
  }
  const [only, ...others] = main
  if (only === undefined) throw badRequest(`a container name must be specified for pod ${pods}`)
  if (others.length === 0) return only
  throw badRequest(`a container name must be specified for pod ${pods}, choose one of: [${all.join(' ')}]`)
}

function namesIn(spec: JsonObject, field: string): readonly string[] {
  return arrayAt(spec, field)
    .filter(isJsonObject)
    .map((container) => textAt(container, 'name'))
}
