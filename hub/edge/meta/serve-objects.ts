import type { Bus } from '../../../platform/bus/index.ts'
import { RefusedError, type Scope } from '../../../platform/lifecycle/index.ts'
import {
  type Json,
  listObjects,
  type ObjectAnswer,
  type ObjectRequest,
  parseResource,
  requestObject,
} from '../../../schemas/index.ts'
import { isObject } from '../json.ts'
import { metaKeyOf } from './meta-change.ts'
import type { MetaManager } from './meta-manager.ts'
import { offline, RemoteQueries, type RemoteQueryPorts } from './remote-queries.ts'

/** Answers on the bus for objects of the cloud, as fresh as the caller wants them. */
export function serveObjects(ports: RemoteQueryPorts & { readonly bus: Bus }, scope: Scope): void {
  const { bus, meta } = ports
  const queries = new RemoteQueries(ports)
  scope.use(bus.serve(requestObject, (request) => answer(request, { ...ports, queries })))
  scope.use(bus.serve(listObjects, async ({ type }) => meta.list(type)))
}

async function answer(
  { resource, freshness }: ObjectRequest,
  { meta, cloud, queries }: RemoteQueryPorts & { readonly queries: RemoteQueries },
): Promise<ObjectAnswer> {
  const path = parseResource(resource)
  if (!path || path.name === '') {
    throw new RefusedError('An object is asked for as <namespace>/<type>/<name>', {
      code: 'HUB_RESOURCE_MALFORMED',
      fields: { resource },
    })
  }
  const key = metaKeyOf(path)
  const stored = () => fromNode(meta, key)
  if (freshness === 'stored') return stored()
  if (freshness === 'stored-first' && meta.stored(key)) return stored()
  if (freshness !== 'cloud' && !cloud.isConnected) return stored().object ? stored() : Promise.reject(offline())
  try {
    return fromCloud(await queries.query(key, freshness === 'cloud'))
  } catch (error) {
    // What is here serves where the cloud is out of reach, not where it says no.
    if (freshness === 'cloud' || error instanceof RefusedError || !meta.stored(key)) throw error
    return stored()
  }
}

function fromNode(meta: MetaManager, key: string): ObjectAnswer {
  const object = meta.stored(key)
  return { from: 'node', ...(object ? { object } : {}) }
}

function fromCloud(content: Json): ObjectAnswer {
  return { from: 'cloud', ...(isObject(content) ? { object: content } : {}) }
}
