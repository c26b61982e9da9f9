import { RefusedError } from '../../../platform/lifecycle/index.ts'
import type { Random } from '../../../platform/time/index.ts'
import type { Json, JsonObject } from '../../../schemas/index.ts'
import { arrayAt, isJsonObject, labelsOf, objectAt, textAt } from '../../kube/object/index.ts'
import type { ApiObject } from '../../kube/resource.ts'
import { keyOf } from '../../serving/objects/registry.ts'
import type { ObjectStore } from '../storage/object-store.ts'

/** A Service that a webhook configuration names, as `clientConfig.service`. */
export interface ServiceReference {
  readonly namespace: string
  readonly name: string
  readonly port: number
}

/** Where to connect to. */
export interface Address {
  readonly host: string
  readonly port: number
}

export type LocateService = (service: ServiceReference) => Address

const SLICES = 'discovery.k8s.io/endpointslices'
const SERVICE_NAME = 'kubernetes.io/service-name'
const TYPES: ReadonlySet<string> = new Set(['ClusterIP', 'NodePort', 'LoadBalancer'])
const DEFAULT_PORT = 443

/**
 * Finds Services by their endpoints: nothing forwards the addresses of Services themselves where this API runs alone. EndpointSlices
 * count first, then the Endpoints of the name. What is found throws, in the words of upstream, where nobody can be reached.
 */
export function serviceLocator(store: Pick<ObjectStore, 'get' | 'list'>, random: Pick<Random, 'next'>): LocateService {
  return ({ namespace, name, port }) => {
    const service = store.get('/services', keyOf(namespace, name))
    if (!service)
      throw new RefusedError(`service ${JSON.stringify(name)} not found`, { code: 'HUB_API_WEBHOOK_SERVICE' })
    const spec = objectAt(service, 'spec')
    const type = textAt(spec, 'type')
    if (!TYPES.has(type))
      throw new RefusedError(`unsupported service type ${JSON.stringify(type)}`, { code: 'HUB_API_WEBHOOK_SERVICE' })
    const own = arrayAt(spec, 'ports').find((each) => isJsonObject(each) && each['port'] === port)
    if (!isJsonObject(own))
      throw new RefusedError(`no service port ${port} found for service ${JSON.stringify(name)}`, {
        code: 'HUB_API_WEBHOOK_SERVICE',
      })
    const found = addressesOf(store, namespace, name, textAt(own, 'name'))
    const chosen = found[Math.floor(random.next() * found.length)]
    if (!chosen)
      throw new RefusedError(`no endpoints available for service ${JSON.stringify(name)}`, {
        code: 'HUB_API_WEBHOOK_SERVICE',
      })
    return chosen
  }
}

/** What `clientConfig.service` says; undefined where it names no Service. */
export function serviceIn(client: JsonObject): ServiceReference | undefined {
  const service = client['service']
  if (!isJsonObject(service)) return undefined
  const { port } = service
  return {
    ...{ namespace: textAt(service, 'namespace'), name: textAt(service, 'name') },
    port: typeof port === 'number' ? port : DEFAULT_PORT,
  }
}

/** The URL that a webhook configuration gives, or that of its Service: by that name its certificate has to be. */
export function urlIn(client: JsonObject): string {
  const service = serviceIn(client)
  if (!service) return textAt(client, 'url')
  const path = textAt(objectAt(client, 'service'), 'path') || '/'
  return `https://${service.name}.${service.namespace}.svc:${service.port}${path.startsWith('/') ? path : `/${path}`}`
}

function addressesOf(
  store: Pick<ObjectStore, 'get' | 'list'>,
  namespace: string,
  service: string,
  port: string,
): readonly Address[] {
  const sliced = store
    .list(SLICES, `${namespace}/`)
    .filter(([, slice]) => labelsOf(slice)[SERVICE_NAME] === service)
    .flatMap(([, slice]) => ofSlice(slice, port))
  if (sliced.length > 0) return sliced
  const endpoints = store.get('/endpoints', keyOf(namespace, service))
  return endpoints
    ? arrayAt(endpoints, 'subsets')
        .filter(isJsonObject)
        .flatMap((subset) => ofSubset(subset, port))
    : []
}

function ofSlice(slice: ApiObject, port: string): readonly Address[] {
  const ready = arrayAt(slice, 'endpoints')
    .filter(isJsonObject)
    .filter((endpoint) => objectAt(endpoint, 'conditions')['ready'] !== false)
  const hosts = ready.flatMap((endpoint) => arrayAt(endpoint, 'addresses').filter((each) => typeof each === 'string'))
  return at(hosts, arrayAt(slice, 'ports'), port)
}

function ofSubset(subset: JsonObject, port: string): readonly Address[] {
  const hosts = arrayAt(subset, 'addresses')
    .filter(isJsonObject)
    .map((address) => textAt(address, 'ip'))
  return at(hosts, arrayAt(subset, 'ports'), port)
}

/** A port of a Service and those of its endpoints belong together by their name. */
function at(hosts: readonly string[], ports: readonly Json[], name: string): readonly Address[] {
  const found = ports.find((port) => isJsonObject(port) && textAt(port, 'name') === name)
  const port = isJsonObject(found) ? found['port'] : undefined
  return typeof port === 'number' ? hosts.map((host) => ({ host, port })) : []
}
