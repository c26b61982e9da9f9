import type { Json, JsonObject } from '../../../schemas/index.ts'
import { isObject, listIn, objectIn, textIn } from '../pod/json.ts'

/** Nothing that becomes of the node drives a static pod away. */
const TOLERATION = { operator: 'Exists', effect: 'NoExecute' }

/** What the API would have filled in, for a pod that does not come from it. */
export function withStaticDefaults(spec: JsonObject, nodeName: string): JsonObject {
  const isHostNetwork = spec['hostNetwork'] === true
  const defaulted: Record<string, Json> = { ...spec, nodeName }
  for (const list of ['initContainers', 'containers']) {
    if (Array.isArray(spec[list])) defaulted[list] = spec[list].map((each) => container(each, isHostNetwork))
  }
  const tolerations = listIn(spec, 'tolerations')
  const isTolerant = tolerations.some(
    (each) => textIn(each, 'operator') === 'Exists' && textIn(each, 'effect') === 'NoExecute' && !textIn(each, 'key'),
  )
  return { ...defaulted, tolerations: isTolerant ? tolerations : [...tolerations, TOLERATION] }
}

/** What has a limit asks for it; on the node's network a port is the node's. */
function container(each: Json, isHostNetwork: boolean): Json {
  if (!isObject(each)) return each
  const resources = objectIn(each, 'resources')
  const requests = { ...objectIn(resources, 'limits'), ...objectIn(resources, 'requests') }
  const ports = listIn(each, 'ports')
  return {
    ...each,
    ...(Object.keys(requests).length > 0 ? { resources: { ...resources, requests } } : {}),
    ...(isHostNetwork && ports.length > 0 ? { ports: ports.map(onHost) } : {}),
  }
}

function onHost(port: Json): Json {
  if (!isObject(port) || port['containerPort'] === undefined) return port
  return { hostPort: port['containerPort'], ...port }
}
