import {
  type ApiPlace,
  type Application,
  type Json,
  type JsonObject,
  parseApplicationKey,
} from '../../../schemas/index.ts'
import type { NodePeer } from '../cloudhub/delivery.ts'
import { isJsonObject, parseJson } from '../kubernetes/guards.ts'
import type { CallerRequest } from '../kubernetes/index.ts'

/** An Application, read: what the API is asked, and of what. */
export interface ApiRequest {
  /** As RBAC names it. */
  readonly verb: string
  readonly place: ApiPlace
  readonly subresource: string
  readonly options: JsonObject
  readonly request: CallerRequest
  /** As a Table, where all of the answer may be told. */
  readonly isTable?: boolean
}

const METHODS: Readonly<Record<string, CallerRequest['method']>> = {
  get: 'GET',
  list: 'GET',
  create: 'POST',
  update: 'PUT',
  updatestatus: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETE',
}
const NAMED: ReadonlySet<string> = new Set(['get', 'update', 'updatestatus', 'patch', 'delete'])
/** What may be in a query; an option of the wrong form is left out, as KubeEdge does. */
const QUERY = [
  ...['labelSelector', 'fieldSelector', 'resourceVersion', 'resourceVersionMatch', 'limit', 'continue'],
  ...['fieldManager', 'fieldValidation', 'dryRun', 'force', 'timeoutSeconds', 'pretty'],
]
const PATCH_TYPES: ReadonlySet<string> = new Set([
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
])
const SEGMENT = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Undefined for what is none, with why in `onFault`. A watch is read like a list. */
export function readRequest(application: Application, onFault: (why: string) => void): ApiRequest | undefined {
  const { Key, Verb, Subresource } = application
  const fault = (why: string) => {
    onFault(why)
    return undefined
  }
  const given = parseApplicationKey(Key)
  const options = jsonOf(application.Option) ?? {}
  if (!given || !isJsonObject(options)) return fault('the key or the options are not those of an Application')
  const method = METHODS[Verb === 'watch' ? 'list' : Verb]
  if (!method) return fault(`verb ${Verb} is not known`)
  const patch = Verb === 'patch' ? patchOf(options, given, Subresource) : undefined
  if (Verb === 'patch' && !patch) return fault('the patch is none')
  const body = patch?.body ?? (Verb === 'delete' ? deletion(options) : jsonOf(application.ReqBody))
  if ((method === 'POST' || method === 'PUT') && !isJsonObject(body)) return fault('the body is no object')
  const place = patch?.place ?? withName(given, Verb, Subresource, body)
  const subresource = patch?.subresource ?? (Verb === 'updatestatus' ? 'status' : Subresource)
  if (NAMED.has(Verb) && place.name === undefined) return fault('the key names no object')
  if (subresource !== '' && !SEGMENT.test(subresource)) return fault('the subresource is none')
  if (subresource !== '' && place.name === undefined) return fault('a subresource is one of an object')
  const query = queryOf(patch?.options ?? (Verb === 'delete' ? {} : options))
  return {
    verb: Verb === 'updatestatus' ? 'update' : Verb,
    place,
    subresource,
    options,
    request: {
      method,
      path: `${pathOf(place, Verb, subresource)}${query === '' ? '' : `?${query}`}`,
      ...(typeof body === 'object' && body !== null && method !== 'GET' ? { body } : {}),
      ...(patch ? { contentType: patch.type } : {}),
    },
  }
}

/** All kinds in one answer, as servers of Kubernetes 1.30 and later, or those before, tell them. */
const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .join(',')

const TABLE = 'application/json;as=Table;g=meta.k8s.io;v=v1,application/json'

/** With the cells that the API makes of each object beside the object, where that is wanted of what is read. */
export function inForm({ request, verb, isTable = false }: ApiRequest): CallerRequest {
  if (!isTable || (verb !== 'get' && verb !== 'list')) return request
  const path = `${request.path}${request.path.includes('?') ? '&' : '?'}includeObject=Object`
  return { ...request, path, accept: TABLE }
}

/** What is read as it is, by its path. */
export function pathRequest({ Key, skerry }: Application, peer: Pick<NodePeer, 'skerry'>): CallerRequest {
  const { aggregated = false, tag } = (peer.skerry ? skerry : undefined) ?? {}
  return {
    ...{ method: 'GET', path: Key },
    ...(aggregated ? { accept: AGGREGATED } : {}),
    ...(tag === undefined ? {} : { knownTag: tag }),
  }
}

/** Where a list or watch of the place begins, without its query. */
export function collectionPath(place: ApiPlace): string {
  const { namespace, ...rest } = place
  return pathOf({ ...rest, ...(namespace === undefined ? {} : { namespace }) }, 'list', '')
}

export function queryOf(options: JsonObject): string {
  const query = new URLSearchParams()
  for (const name of QUERY) {
    const value = options[name]
    const all = Array.isArray(value) ? value : [value]
    for (const each of all) {
      if (typeof each === 'string' ? each !== '' : typeof each === 'number' || each === true)
        query.append(name, String(each))
    }
  }
  return query.toString()
}

function pathOf({ group, version, resource, namespace, name }: ApiPlace, verb: string, subresource: string): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const scope = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`
  const isOne = name !== undefined && (NAMED.has(verb) || subresource !== '')
  return `${root}${scope}/${resource}${isOne ? `/${encodeURIComponent(name)}` : ''}${subresource === '' ? '' : `/${subresource}`}`
}

/** KubeEdge creates below the object that the body names. */
function withName(place: ApiPlace, verb: string, subresource: string, body: Json | undefined): ApiPlace {
  if (verb !== 'create' || subresource === '' || place.name !== undefined || !isJsonObject(body)) return place
  const metadata = body['metadata']
  const name = isJsonObject(metadata) ? metadata['name'] : undefined
  return typeof name === 'string' && name !== '' ? { ...place, name } : place
}

/** KubeEdge's PatchInfo. The name in it has to be that of the key, which is what access is decided by. */
function patchOf(info: JsonObject, place: ApiPlace, given: string) {
  const { Name: name, PatchType: type, Data: data, Options: options, Subresources: below } = info
  const body = typeof data === 'string' ? parseJson(Buffer.from(data, 'base64').toString('utf8')) : undefined
  const subresources = Array.isArray(below) ? below : []
  const [first = given] = subresources
  const isOther = typeof name === 'string' && name !== '' && place.name !== undefined && name !== place.name
  if (typeof type !== 'string' || !PATCH_TYPES.has(type) || typeof body !== 'object' || body === null) return undefined
  if (isOther || subresources.length > 1 || typeof first !== 'string') return undefined
  const named = typeof name === 'string' && name !== '' ? { ...place, name } : place
  return { place: named, body, type, subresource: first, options: isJsonObject(options) ? options : {} }
}

function deletion(options: JsonObject): JsonObject {
  return { kind: 'DeleteOptions', apiVersion: 'v1', ...options }
}

function jsonOf(base64: string | null): Json | undefined {
  return base64 === null || base64 === '' ? undefined : parseJson(Buffer.from(base64, 'base64').toString('utf8'))
}
