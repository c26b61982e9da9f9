import type { Json, JsonObject } from '../device/index.ts'

/** What MetaServer asks of the Kubernetes API through the cloud. `updatestatus` is how KubeEdge writes the subresource `status`. */
export const APPLICATION_VERBS = [
  'get',
  'list',
  'watch',
  'create',
  'update',
  'updatestatus',
  'patch',
  'delete',
  /** Only between Skerry peers: KubeEdge has no such verb. */
  'deletecollection',
] as const
export type ApplicationVerb = (typeof APPLICATION_VERBS)[number]

/** Where an Application stands; the cloud answers with one of the last three. */
export type ApplicationStatus =
  | 'PreApplying'
  | 'InApplying'
  | 'InProcessing'
  | 'Completed'
  | 'Approved'
  | 'Rejected'
  | 'Failed'

/**
 * One request of MetaServer and its answer, field for field as Go writes KubeEdge's struct: bytes are base64, absent ones null,
 * `Error` is `{}` or holds a Status of Kubernetes.
 */
export interface Application {
  /** SHA-256 (hex) of node, key, verb, option, body and subresource. */
  readonly ID: string
  /** `/<group or core>/<version>/<resource>/<namespace or null>/<name or null>`; or the path of what is passed through. */
  readonly Key: string
  readonly Verb: string
  readonly Nodename: string
  /** JSON of the options of the verb, or of a PatchInfo. */
  readonly Option: string | null
  readonly ReqBody: string | null
  readonly Subresource: string
  readonly RespBody: string | null
  readonly Status: string
  readonly Reason: string
  readonly Error: JsonObject
  readonly Timestamp: string
  /** Only between Skerry peers (SKERRY_HEADER). */
  readonly skerry?: ApplicationExtra
}

/** `skerry` of a request, and of its answer. */
export interface ApplicationExtra {
  /** Bearer token of whoever asks: the request runs as that user. Absent: it runs as the node. Never logged, never stored. */
  readonly token?: string
  /** Of a watch: names its events, see ApplicationEvents. */
  readonly watch?: string
  /** Of a request by path: in the form that tells all kinds at once (aggregated discovery). */
  readonly aggregated?: boolean
  /** Of a request that reads: as a Table of meta.k8s.io/v1 with the whole objects, where the API makes one. */
  readonly table?: boolean
  /** Entity tag: of a request by path that of what the edge has (the answer is 304 where it still stands), of an answer its own. */
  readonly tag?: string
  /** Of an answer: the HTTP status of the API. */
  readonly code?: number
}

/** Group of what MetaServer and DynamicController say to each other. */
export const APPLICATION_GROUP = 'dynamiccontroller'
export const APPLICATION_SOURCE = 'metaserver'
/** Resource and operation of a request: these texts, as KubeEdge has them. */
export const APPLICATION_REQUEST = 'null'
export const APPLICATION_ANSWER = 'applicationResponse'
export const APPLICATION_ANSWER_RESOURCE = 'ignore/Application/ignore'
/** Which watches an edge has: a map of id to Application; the answer has those that failed. */
export const WATCH_SYNC_RESOURCE = 'watchapp/sync'
/** Resource of the frames with events of a watch, from cloud to edge; each waits for its receipt. Only between Skerry peers. */
export const WATCH_EVENTS_RESOURCE = 'watchapp/events'
/** Go's zero time. */
export const ZERO_TIME = '0001-01-01T00:00:00Z'

/** Content of such a frame, under `skerry`. */
export interface ApplicationEvents {
  readonly watch: string
  /** As the Kubernetes API sends them, in their order. */
  readonly events: readonly ApplicationEvent[]
  /** The watch is over after these. With a Status: why it cannot go on. Without: it may be begun again from the last version. */
  readonly ended?: { readonly status?: JsonObject }
}

export interface ApplicationEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: JsonObject
}

/** A place in the Kubernetes API. */
export interface ApiPlace {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  /** Plural, as in paths. */
  readonly resource: string
  /** Absent: cluster-scoped, or all namespaces. */
  readonly namespace?: string
  readonly name?: string
}

/** `/core/v1/pods/shop/till`; what is absent is `null`. */
export function applicationKey({ group, version, resource, namespace, name }: ApiPlace): string {
  return `/${group === '' ? 'core' : group}/${version}/${resource}/${namespace ?? 'null'}/${name ?? 'null'}`
}

/** Undefined for what is no key. Trailing parts may be missing, as in `/apps/v1/deployments`. */
export function parseApplicationKey(key: string): ApiPlace | undefined {
  const [root, group = '', version = '', resource = '', namespace = 'null', name = 'null', ...more] = key
    .replace(/\/+$/, '')
    .split('/')
  if (root !== '' || more.length > 0 || [group, version, resource].some((part) => !SEGMENT.test(part))) return undefined
  if (![namespace, name].every((part) => part !== '' && part !== '.' && part !== '..')) return undefined
  return {
    ...{ group: group === 'core' ? '' : group, version, resource },
    ...(namespace === 'null' ? {} : { namespace }),
    ...(name === 'null' ? {} : { name }),
  }
}

/**
 * How KubeEdge calls a kind in the resource of a frame, guessed from its plural as KubeEdge guesses: `pods` is `pod`, `policies`
 * is `policy`, `endpoints` and `leases` stay.
 */
export function frameTypeOf(resource: string): string {
  if (resource === 'endpoints' || resource === 'leases') return resource
  if (resource.endsWith('ies')) return `${resource.slice(0, -3)}y`
  if (resource.endsWith('ses')) return resource.slice(0, -2)
  return resource.endsWith('s') ? resource.slice(0, -1) : resource
}

const SEGMENT = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** Whether a path may be read through the cloud as it is: what says what an API is, and no object. As KubeEdge passes them. */
export function isPassedThrough(path: string): boolean {
  return PASSED.test(path)
}

// Parts of a path are names: one of dots alone would lead a server that resolves them to what is no description.
const PASSED =
  /^\/(version|\.well-known\/openid-configuration|openid\/v1\/jwks|healthz|livez|readyz|openapi\/v2|openapi\/v3(\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?){0,3}|api|api\/v1|apis|apis\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?|apis\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?\/[a-z0-9]+)$/

/** Reads an Application from outside; undefined for what is none. */
export function parseApplication(content: Json | undefined): Application | undefined {
  if (!isObject(content)) return undefined
  const text = (name: string) => textIn(content, name)
  const bytes = (name: string) => (typeof content[name] === 'string' ? content[name] : null)
  if (typeof content['Key'] !== 'string' || typeof content['Verb'] !== 'string') return undefined
  const extra = parseExtra(content['skerry'])
  return {
    ID: text('ID'),
    Key: text('Key'),
    Verb: text('Verb'),
    Nodename: text('Nodename'),
    Option: bytes('Option'),
    ReqBody: bytes('ReqBody'),
    Subresource: text('Subresource'),
    RespBody: bytes('RespBody'),
    Status: text('Status'),
    Reason: text('Reason'),
    Error: isObject(content['Error']) ? content['Error'] : {},
    Timestamp: text('Timestamp') || ZERO_TIME,
    ...(extra ? { skerry: extra } : {}),
  }
}

function parseExtra(given: Json | undefined): ApplicationExtra | undefined {
  if (!isObject(given)) return undefined
  const { token, watch, aggregated, table, tag, code } = given
  return {
    ...(typeof token === 'string' && token !== '' ? { token } : {}),
    ...(typeof watch === 'string' && watch !== '' ? { watch } : {}),
    ...(aggregated === true ? { aggregated } : {}),
    ...(table === true ? { table } : {}),
    ...(typeof tag === 'string' && ENTITY_TAG.test(tag) ? { tag } : {}),
    ...(typeof code === 'number' ? { code } : {}),
  }
}

/** RFC 9110, 8.8.3, no longer than anybody makes one. */
const ENTITY_TAG = /^(W\/)?"[\x21\x23-\x7e]{0,256}"$/

const EVENT_TYPES: ReadonlySet<Json | undefined> = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK'])

/** `skerry` of a frame with events; undefined for what is none. */
export function parseApplicationEvents(extra: Json | undefined): ApplicationEvents | undefined {
  if (!isObject(extra)) return undefined
  const { watch, events, ended } = extra
  if (typeof watch !== 'string' || !Array.isArray(events) || !events.every(isEvent)) return undefined
  if (!isObject(ended)) return { watch, events }
  return { watch, events, ended: isObject(ended['status']) ? { status: ended['status'] } : {} }
}

function isEvent(event: unknown): event is ApplicationEvent {
  return EVENT_TYPES.has(Reflect.get(Object(event), 'type')) && isObject(Reflect.get(Object(event), 'object'))
}

function textIn(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : ''
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
