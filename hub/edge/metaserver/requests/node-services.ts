import { SERVICE_KINDS, type ServiceKind } from '../../../../schemas/index.ts'
import { isApiObject, nameOf, textAt } from '../../../kube/object/index.ts'
import type { ResourceDefinition } from '../../../kube/resource.ts'
import { keyOf, resourceOf } from '../../../serving/objects/registry.ts'
import type { ApplicationAnswer } from '../../applications/applications.ts'
import { leftOutOf, serviceNamespaces } from '../../meta/node-services.ts'
import { type NodeContext, type NodeRequest, wireResource } from './node-request.ts'

/** How much of what a list of services means is here: all of it, or some. */
export type Known = 'whole' | 'part' | 'nothing'

const RESOURCES: ReadonlySet<string> = new Set(['/services', '/endpoints', 'discovery.k8s.io/endpointslices'])

/** Services, Endpoints and EndpointSlices, which the cloud gives a node of the namespaces of its pods. */
export function isOfServices(definition: ResourceDefinition): boolean {
  return RESOURCES.has(resourceOf(definition))
}

/** Of all namespaces (empty) a node never knows that it has all. */
export function knownOf({ meta, store }: NodeContext, definition: ResourceDefinition, namespace: string): Known {
  const kind = SERVICE_KINDS.find((each) => each === definition.kind)
  if (!kind) return 'nothing'
  if (namespace !== '') {
    const leftOut = leftOutOf({ meta }, namespace)
    if (leftOut) return leftOut[kind] === 0 ? 'whole' : 'part'
    return hasAny(store, definition, namespace) ? 'part' : 'nothing'
  }
  return store.holds(resourceOf(definition)) || serviceNamespaces({ meta }).length > 0 ? 'part' : 'nothing'
}

function hasAny(store: NodeContext['store'], definition: ResourceDefinition, namespace: string): boolean {
  const start = keyOf(namespace, '')
  const [first] = store.view(resourceOf(definition))?.from(start) ?? []
  return first?.[0].startsWith(start) ?? false
}

/** What a client has to know of a list of a part. */
export function partly({ meta }: NodeContext, { kind, plural }: ResourceDefinition, namespace: string): string {
  const isKind = SERVICE_KINDS.find((each): each is ServiceKind => each === kind)
  if (namespace === '') {
    const namespaces = serviceNamespaces({ meta }).join(', ') || 'the cloud gave this node'
    return `the cloud is not connected: these are the ${plural} of the namespaces of pods of this node (${namespaces})`
  }
  const count = isKind && leftOutOf({ meta }, namespace)?.[isKind]
  const missing = count ? `${count} of namespace ${namespace} are not among them` : 'there may be more'
  return `the cloud is not connected: these are the ${plural} that this node has, and ${missing}`
}

/**
 * What a client makes or deletes of services whose list is this node's is on that list, or not any more, with the answer: the cloud itself
 * tells of it some time later.
 */
export async function keepServices(
  context: NodeContext,
  { definition, path, verb, url }: NodeRequest,
  { code, object }: ApplicationAnswer,
): Promise<void> {
  const { meta, log } = context
  if (!definition || !object || code >= 300 || path.subresource !== '' || !isOfServices(definition)) return
  if (url.searchParams.has('dryRun')) return
  if (knownOf(context, definition, path.namespace) !== 'whole') return
  try {
    if (verb === 'create' && isApiObject(object)) {
      const expected = meta.expect(wireResource(definition, path.namespace, nameOf(object)))
      await meta.remember(expected, { header: { msg_id: '', timestamp: 0 }, route: {}, content: object })
    } else if (verb === 'delete' && textAt(object, 'kind') === 'Status') {
      const key = wireResource(definition, path.namespace, path.name)
      await meta.drop(key, meta.held(key)?.uid ?? '')
    }
  } catch (error) {
    log.debug('A change of services was not kept; the cloud tells of it', { path, error })
  }
}
