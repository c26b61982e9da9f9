import type { Bus } from '../../../platform/bus/index.ts'
import { describeError } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import {
  type LeftOut,
  NAMESPACE_SERVICES_TYPE,
  NONE_LEFT_OUT,
  namespaceServicesResource,
  nodeConditions,
  objectChanges,
  parseResource,
  type ResourcePath,
  SERVICE_KINDS,
} from '../../../schemas/index.ts'
import { objectIn } from '../json.ts'
import { OCCASIONAL } from '../node/conditions.ts'
import type { Road, RoadUser } from '../road.ts'
import type { MetaManager } from './meta-manager.ts'

export interface NodeServicesPorts {
  readonly meta: Pick<MetaManager, 'stored' | 'keys' | 'held' | 'drop' | 'expect' | 'remember'>
  readonly bus: Bus
  readonly log: Logger
}

/** What is missing here of the services of a namespace; undefined where it is not known that the rest is here. */
export function leftOutOf({ meta }: Pick<NodeServicesPorts, 'meta'>, namespace: string): LeftOut | undefined {
  const stored = meta.stored(namespaceServicesResource(namespace))
  if (!stored) return undefined
  const said = objectIn(objectIn(stored, 'spec'), 'leftOut')
  const counts = { ...NONE_LEFT_OUT }
  for (const kind of SERVICE_KINDS) {
    const count = said[kind]
    // What cannot be read is not relied on.
    counts[kind] = typeof count === 'number' && count >= 0 ? count : 1
  }
  return counts
}

/** Namespaces whose services this node has, but for what was left out. */
export function serviceNamespaces({ meta }: Pick<NodeServicesPorts, 'meta'>): readonly string[] {
  return meta.keys().flatMap((key) => {
    const path = parseResource(key)
    return path?.type === NAMESPACE_SERVICES_TYPE ? [path.namespace] : []
  })
}

/**
 * Services that a Skerry cloud gave are true while such a cloud keeps them so: they go when the node comes to another one, which knows
 * nothing of them. Where the cloud left something out, the Node says so.
 */
export function followNodeServices(ports: NodeServicesPorts): RoadUser & Disposable {
  const { meta, bus, log } = ports
  const tell = () => {
    const lacking = serviceNamespaces(ports).flatMap((namespace) => lackIn(ports, namespace))
    if (lacking.length === 0) return bus.remove(nodeConditions, OCCASIONAL.servicesLeftOut)
    const more = lacking.length > MOST_NAMED ? ` and ${lacking.length - MOST_NAMED} more namespaces` : ''
    bus.set(nodeConditions, OCCASIONAL.servicesLeftOut, {
      status: 'True',
      reason: 'BeyondBounds',
      message: `This node has not ${lacking.slice(0, MOST_NAMED).join(', ')}${more}: they are too large or too many (services of the cloud half), and asked of the cloud while it is connected`,
    })
  }
  const drop = async () => {
    const namespaces = new Set(serviceNamespaces(ports))
    const isDropped = (path: ResourcePath | undefined) =>
      path !== undefined && TYPES.has(path.type) && namespaces.has(path.namespace)
    try {
      // First that not all is here, last of which namespaces it was: who stops half-way tells nothing wrong, and goes on at the next time.
      const markers = [...namespaces].map(namespaceServicesResource)
      for (const key of markers) await doubt(ports, key)
      const services = meta.keys().filter((key) => !markers.includes(key) && isDropped(parseResource(key)))
      for (const key of [...services, ...markers]) await meta.drop(key, meta.held(key)?.uid ?? '')
    } catch (error) {
      log.warn('Services of an earlier cloud could not be removed, and may be older than they look', {
        error: describeError(error),
      })
    }
  }
  const subscription = bus.subscribe(objectChanges, ({ resource }) => {
    if (parseResource(resource)?.type === NAMESPACE_SERVICES_TYPE) tell()
  })
  tell()
  return {
    connected({ isSkerry }: Road) {
      if (!isSkerry) void drop()
    },
    disconnected: () => undefined,
    [Symbol.dispose]: () => subscription[Symbol.dispose](),
  }
}

const MOST_NAMED = 3
const TYPES: ReadonlySet<string> = new Set(SERVICE_KINDS.map((kind) => kind.toLowerCase()))

/** From now on nothing of the namespace is taken for all that there is. */
async function doubt({ meta }: Pick<NodeServicesPorts, 'meta'>, key: string): Promise<void> {
  const { spec: _known, ...marker } = meta.stored(key) ?? {}
  const metadata = { ...objectIn(marker, 'metadata'), resourceVersion: 'doubted' }
  const content = { ...marker, metadata, spec: { leftOut: null } }
  await meta.remember(meta.expect(key), { header: { msg_id: '', timestamp: 0 }, route: {}, content })
}

function lackIn(ports: NodeServicesPorts, namespace: string): readonly string[] {
  const leftOut = leftOutOf(ports, namespace) ?? NONE_LEFT_OUT
  const lacking = SERVICE_KINDS.filter((kind) => leftOut[kind] > 0).map((kind) => `${leftOut[kind]} ${kind}`)
  return lacking.length === 0 ? [] : [`${lacking.join(', ')} of namespace ${namespace}`]
}
