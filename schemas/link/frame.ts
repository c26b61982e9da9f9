import type { Json } from '../device/index.ts'

/**
 * One message between CloudHub and EdgeHub, exactly as KubeEdge writes it: one JSON object in one WebSocket text message.
 * `content` is always present (null when empty); the optional fields are left out when empty.
 */
export interface Frame {
  readonly header: FrameHeader
  readonly route: FrameRoute
  readonly content: Json
}

export interface FrameHeader {
  /** UUID; receipts refer to it. */
  readonly msg_id: string
  /** msg_id of the frame that this one answers. */
  readonly parent_msg_id?: string
  /** Unix ms. Never used for logic. */
  readonly timestamp: number
  /** Kubernetes resourceVersion of the content; an opaque text. */
  readonly resourceversion?: string
  readonly sync?: boolean
  readonly type?: string
}

export interface FrameRoute {
  readonly source?: string
  readonly destination?: string
  readonly group?: string
  readonly operation?: string
  /** `<namespace>/<type>/<name>` on the wire; see resource.ts. */
  readonly resource?: string
}

/** Module names that stand in routes; part of the wire contract. */
export const MODULES = {
  cloudHub: 'cloudhub',
  edgeController: 'edgecontroller',
  deviceController: 'devicecontroller',
  dynamicController: 'dynamiccontroller',
  syncController: 'synccontroller',
  policyController: 'policycontroller',
  edgeHub: 'websocket',
  metaManager: 'metamanager',
  edged: 'edged',
  twin: 'twin',
  bus: 'bus',
  /** Of what rules ask of EventBus. */
  routerEventBus: 'router_eventbus',
  /** Of what rules ask of ServiceBus, and its own name. */
  routerServiceBus: 'router_servicebus',
  serviceBus: 'servicebus',
} as const

export const GROUPS = { resource: 'resource', twin: 'twin', user: 'user', meta: 'meta' } as const

export const OPERATIONS = {
  insert: 'insert',
  update: 'update',
  delete: 'delete',
  patch: 'patch',
  query: 'query',
  get: 'get',
  response: 'response',
  error: 'error',
  keepalive: 'keepalive',
  upload: 'upload',
  subscribe: 'subscribe',
  unsubscribe: 'unsubscribe',
  publish: 'publish',
  /** Of target URLs that local applications may call. */
  start: 'start',
  stop: 'stop',
  /** Of messages that the cloud had taken. */
  done: 'done',
} as const

/** Upgrade header by which both ends say that they understand the `skerry` keys in contents. */
export const SKERRY_HEADER = 'x-skerry-wire'
export const SKERRY_WIRE_VERSION = '1'

/** Default `project_id` of KubeEdge: part of the path that an edge dials. */
export const DEFAULT_PROJECT_ID = 'e632aba927ea4ac2b575ec1603d56f10'

/** Upgrade header with the identity of the edge's database (a UUID); another one means that the edge has forgotten everything. */
export const EPOCH_HEADER = 'x-skerry-epoch'

/**
 * Header of the upgrade answer with the identity of what the cloud remembers (a UUID, kept in its Kubernetes API); another one
 * means that the cloud knows nothing of what was confirmed before.
 */
export const CLOUD_EPOCH_HEADER = 'x-skerry-cloud-epoch'

/**
 * Header of the upgrade answer of CloudHub with the port of the tunnel server on the same host, `off` where there is none; a KubeEdge
 * cloud says nothing, and has it on 10004.
 */
export const TUNNEL_HEADER = 'x-skerry-tunnel'
