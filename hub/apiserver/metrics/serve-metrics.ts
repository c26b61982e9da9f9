import type { JsonObject } from '../../../schemas/index.ts'
import {
  arrayAt,
  isJsonObject,
  labelsOf,
  nameOf,
  namespaceOf,
  objectAt,
  textAt,
  timestamp,
} from '../../kube/object/index.ts'
import type { ApiObject, ResourceDefinition } from '../../kube/resource.ts'
import { badRequest, methodNotAllowed, notFound, unknownPath } from '../../kube/status.ts'
import type { Reply } from '../../serving/answers/answer.ts'
import { negotiate } from '../../serving/answers/negotiate.ts'
import { includeOf, presentObject, type View } from '../../serving/answers/present.ts'
import { presentList } from '../../serving/answers/present-list.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import { listObjects } from '../../serving/reading/list.ts'
import { listOptions } from '../../serving/reading/list-options.ts'
import type { AskedResource } from '../../serving/requests/resource-request.ts'
import { nodeOf } from '../../serving/streams/pod-place.ts'
import type { ApiContext } from '../rest/context.ts'
import { METRICS_GROUP } from './metrics-kinds.ts'
import type { NodeUses } from './node-uses.ts'
import type { Use } from './summary.ts'

/** As metrics-server says it where a kubelet tells of the last moment alone. */
const WINDOW = '10s'
const UNKNOWN = { nodes: 'nodemetrics', pods: 'podmetrics' } as const

export type ServeMetrics = (asked: AskedResource, definition: ResourceDefinition) => Promise<Reply>

/** `metrics.k8s.io`: what ready nodes and the pods on them use now. Throws a Status. */
export function createMetrics(api: ApiContext, uses: NodeUses): ServeMetrics {
  return async (asked, definition) => {
    const { path, verb, url, accept } = asked
    if (path.subresource !== '') throw notFound(definition, path.name)
    if (path.namespace !== '' && !definition.namespaced) throw unknownPath()
    if (verb !== 'get' && verb !== 'list') throw methodNotAllowed()
    const query = url.searchParams
    const view: View = { form: negotiate(accept), definition, include: includeOf(query), now: api.clock.now() }
    const isPods = definition.plural === 'pods'
    const measure = isPods ? measuredPods : measuredNodes
    if (verb === 'get') {
      if (isPods && path.namespace === '')
        throw badRequest('an empty namespace may not be set when a resource name is provided')
      const found = api.store.get(`/${definition.plural}`, keyOf(path.namespace, path.name))
      const name = isPods ? `${path.namespace}/${path.name}` : path.name
      if (!found) throw notFound({ group: '', plural: definition.plural }, name)
      const [measured] = await measure(api, uses, [found], asked.signal)
      if (measured) return presentObject(view, measured)
      throw notFound({ group: METRICS_GROUP, plural: isPods ? UNKNOWN.pods : UNKNOWN.nodes }, name)
    }
    const kind = api.registry.find('', 'v1', definition.plural)
    if (!kind) throw unknownPath()
    const options = listOptions(query, kind, 'list')
    const { objects, metadata } = await listObjects(api, kind, path.namespace, options, asked.signal)
    const { resourceVersion: _version, ...position } = metadata
    return presentList(view, await measure(api, uses, objects, asked.signal), position)
  }
}

async function measuredNodes(
  _api: ApiContext,
  uses: NodeUses,
  nodes: readonly ApiObject[],
  signal: AbortSignal,
): Promise<readonly ApiObject[]> {
  const ready = nodes.filter(isReady)
  const found = await uses.of(ready.map(nameOf), signal)
  return ready.flatMap((node) => {
    const use = found.get(nameOf(node))?.node
    const usage = use && usageOf(use)
    return use && usage ? [metricsOf('NodeMetrics', node, use.at, { usage })] : []
  })
}

async function measuredPods(
  api: ApiContext,
  uses: NodeUses,
  pods: readonly ApiObject[],
  signal: AbortSignal,
): Promise<readonly ApiObject[]> {
  const running = pods.filter((pod) => textAt(objectAt(pod, 'status'), 'phase') === 'Running')
  const names = [...new Set(running.map(nodeOf))].filter((name) => {
    const node = api.store.get('/nodes', keyOf('', name))
    return node !== undefined && isReady(node)
  })
  const found = await uses.of(names, signal)
  return running.flatMap((pod) => {
    const known = found.get(nodeOf(pod))?.pods.get(`${namespaceOf(pod)}/${nameOf(pod)}`)
    const containers = [...(known ?? [])].map(([name, use]) => ({ name, use, usage: usageOf(use) }))
    // A pod of which something is not known yet is not told of: its sum would be wrong.
    if (containers.length === 0 || containers.some(({ usage }) => !usage)) return []
    const at = Math.min(...containers.map(({ use }) => use.at))
    const told = containers.map(({ name, usage = {} }) => ({ name, usage }))
    return [metricsOf('PodMetrics', pod, at, { containers: told })]
  })
}

function isReady(node: ApiObject): boolean {
  return arrayAt(objectAt(node, 'status'), 'conditions').some(
    (each) => isJsonObject(each) && each['type'] === 'Ready' && each['status'] === 'True',
  )
}

function usageOf({ nanoCores, memoryBytes }: Use): JsonObject | undefined {
  if (nanoCores === undefined) return undefined
  return { cpu: `${Math.round(nanoCores)}n`, memory: `${Math.floor(memoryBytes / 1024)}Ki` }
}

function metricsOf(kind: string, object: ApiObject, at: number, measured: JsonObject): ApiObject {
  const labels = labelsOf(object)
  const namespace = namespaceOf(object)
  return {
    kind,
    apiVersion: `${METRICS_GROUP}/v1beta1`,
    metadata: {
      name: nameOf(object),
      ...(namespace === '' ? {} : { namespace }),
      creationTimestamp: timestamp(at),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
    },
    timestamp: timestamp(at),
    window: WINDOW,
    ...measured,
  }
}
