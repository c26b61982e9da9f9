import { type Frame, type JsonObject, OPERATIONS } from '../../../schemas/index.ts'
import { isJsonObject, parseJson } from '../kubernetes/guards.ts'

/** What an edge may ask for about its own node and lease. */
export type NodeRequest =
  | { readonly kind: 'insert-node' | 'update-node' | 'insert-lease' | 'update-lease'; readonly object: JsonObject }
  | { readonly kind: 'patch-node-status'; readonly patch: JsonObject }
  | { readonly kind: 'query-node' | 'query-lease' }

export type ParsedRequest =
  | { readonly ok: true; readonly request: NodeRequest }
  /** `answer` is false where the edge expects no answer at all. */
  | { readonly ok: false; readonly reason: string; readonly answer: boolean }

export const LEASE_NAMESPACE = 'kube-node-lease'

const KINDS: Readonly<Record<string, NodeRequest['kind']>> = {
  'insert node': 'insert-node',
  'update node': 'update-node',
  'query node': 'query-node',
  'patch nodepatch': 'patch-node-status',
  'update nodestatus': 'patch-node-status',
  'insert lease': 'insert-lease',
  'update lease': 'update-lease',
  'query lease': 'query-lease',
}

/** Reads a request; a node may speak of itself alone. */
export function parseNodeRequest(node: string, frame: Frame): ParsedRequest {
  const { operation = '', resource = '' } = frame.route
  const [namespace = '', type = '', name = ''] = resource.split('/')
  if (type === 'event') return refused('events of nodes are not recorded by this cloud', false)
  const kind = KINDS[`${operation} ${type}`]
  if (!kind) return refused(`this cloud does not serve ${operation} of ${type || resource}`)
  if (name !== node) return refused('a node may only speak of itself')
  if (type === 'lease' && namespace !== LEASE_NAMESPACE) return refused(`leases of nodes are in ${LEASE_NAMESPACE}`)
  if (kind === 'query-node' || kind === 'query-lease') return { ok: true, request: { kind } }
  const body = typeof frame.content === 'string' ? parseJson(frame.content) : frame.content
  if (!isJsonObject(body)) return refused('the content is not a JSON object')
  if (kind === 'patch-node-status') {
    return { ok: true, request: { kind, patch: type === 'nodestatus' ? legacyStatus(body) : statusOnly(body) } }
  }
  const metadata = body['metadata']
  if (!isJsonObject(metadata) || metadata['name'] !== node) return refused('the object is not of this node')
  return { ok: true, request: { kind, object: kind.endsWith('node') ? restrictLabels(body, metadata) : body } }
}

/** Whether the answer has the shape {Object, Err}. */
export function hasObjectAnswer({ operation }: Frame['route'], kind: NodeRequest['kind']): boolean {
  if (kind === 'query-node' || kind === 'update-node') return false
  return operation !== OPERATIONS.update || kind === 'update-lease'
}

function refused(reason: string, answer = true): ParsedRequest {
  return { ok: false, reason, answer }
}

/** A status patch may carry metadata (annotations of volumes); only status counts here. */
function statusOnly(patch: JsonObject): JsonObject {
  return { status: patch['status'] ?? {} }
}

/** Body of KubeEdge 1.11 and older: {UID, Status, ExtendResources}. */
function legacyStatus(body: JsonObject): JsonObject {
  return { status: body['Status'] ?? {} }
}

/** Labels under node-restriction.kubernetes.io/ are the administrators' (as the NodeRestriction admission plugin holds). */
function restrictLabels(body: JsonObject, metadata: JsonObject): JsonObject {
  const labels = metadata['labels']
  if (!isJsonObject(labels)) return body
  const kept = Object.entries(labels).filter(([key]) => !key.includes('node-restriction.kubernetes.io/'))
  return { ...body, metadata: { ...metadata, labels: Object.fromEntries(kept) } }
}
