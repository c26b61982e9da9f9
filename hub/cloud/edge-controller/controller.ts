import { type Counter, type Metrics, silentMetrics } from '../../../platform/health/index.ts'
import { describeError, type Module } from '../../../platform/lifecycle/index.ts'
import type { Logger } from '../../../platform/log/index.ts'
import type { Clock, Random } from '../../../platform/time/index.ts'
import { GROUPS, type Json, type JsonObject, MODULES } from '../../../schemas/index.ts'
import { createFrameFactory } from '../../link/index.ts'
import type { CloudHub, Upstream } from '../cloudhub/delivery.ts'
import { isJsonObject, isRecord } from '../kubernetes/guards.ts'
import {
  type AnyObject,
  detailOfError,
  type Kubernetes,
  LEASES,
  NODES,
  type ResourceType,
  reasonOfError,
} from '../kubernetes/index.ts'
import { hasObjectAnswer, LEASE_NAMESPACE, type NodeRequest, parseNodeRequest } from './node-requests.ts'

export interface EdgeControllerPorts {
  readonly kubernetes: Kubernetes
  readonly hub: CloudHub
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: Metrics
}

/** Requests of one node under way; more are refused, so that one node cannot occupy the API. */
const BOUND_PER_NODE = 32

/** Answers what edges ask about their own Node and Lease. Everything else gets an error, which the edge does not cache. */
export function createEdgeControllerModule(ports: EdgeControllerPorts): Module {
  return {
    name: 'EdgeController',
    async start(scope) {
      const answer = createResponder(ports, scope.signal)
      scope.use(ports.hub.onUpstream('edge', answer))
    },
  }
}

function createResponder(ports: EdgeControllerPorts, signal: AbortSignal): (upstream: Upstream) => void {
  const { kubernetes, log, metrics = silentMetrics } = ports
  const frames = createFrameFactory(ports)
  const underWay = new Map<string, number>()
  const requests: Counter = metrics.counter({
    name: 'skerry_edgecontroller_requests_total',
    help: 'Requests of edges, by outcome.',
    labels: ['outcome'],
  })

  const respond = async ({ peer, frame, reply }: Upstream, request: NodeRequest) => {
    const route = { source: MODULES.edgeController, group: GROUPS.resource }
    const shaped = hasObjectAnswer(frame.route, request.kind)
    try {
      const object = await perform(kubernetes, peer.node, request, signal)
      requests.add(1, { outcome: 'done' })
      const bare: Json = request.kind === 'query-node' ? object : 'OK'
      reply(frames.reply(frame, shaped ? { Object: object, Err: null } : bare, route))
    } catch (error) {
      if (signal.aborted) return
      requests.add(1, { outcome: 'failed' })
      log.debug('A request of a node failed', { node: peer.node, request: request.kind, error: describeError(error) })
      if (shaped) reply(frames.reply(frame, { Object: null, Err: { ErrStatus: statusOf(error) } }, route))
      else reply(frames.refuse(frame, detailOfError(error) || describeError(error)))
    }
  }

  return (upstream) => {
    const { peer, frame, reply } = upstream
    const parsed = parseNodeRequest(peer.node, frame)
    const busy = underWay.get(peer.node) ?? 0
    if (!parsed.ok) {
      requests.add(1, { outcome: 'refused' })
      log.debug('Refused a request of a node', { node: peer.node, reason: parsed.reason })
      if (parsed.answer) reply(frames.refuse(frame, parsed.reason))
    } else if (busy >= BOUND_PER_NODE) {
      requests.add(1, { outcome: 'refused' })
      reply(frames.refuse(frame, 'too many requests of this node are under way'))
    } else {
      underWay.set(peer.node, busy + 1)
      void respond(upstream, parsed.request).finally(() => {
        const left = (underWay.get(peer.node) ?? 1) - 1
        if (left > 0) underWay.set(peer.node, left)
        else underWay.delete(peer.node)
      })
    }
  }
}

async function perform(kubernetes: Kubernetes, node: string, request: NodeRequest, signal: AbortSignal): Promise<Json> {
  const lease = { namespace: LEASE_NAMESPACE, name: node }
  switch (request.kind) {
    case 'insert-node':
      return toJson(await kubernetes.create(NODES, undefined, request.object, signal))
    case 'update-node':
      return toJson(await kubernetes.patch(NODES, { name: node }, labelsOf(request.object), { type: 'merge' }, signal))
    case 'patch-node-status': {
      const options = { type: 'strategic', subresource: 'status' } as const
      return toJson(await kubernetes.patch(NODES, { name: node }, request.patch, options, signal))
    }
    case 'query-node':
      return toJson(await found(kubernetes, NODES, { name: node }, signal))
    case 'query-lease':
      return toJson(await found(kubernetes, LEASES, lease, signal))
    case 'insert-lease':
      return toJson(await kubernetes.create(LEASES, LEASE_NAMESPACE, request.object, signal))
    case 'update-lease':
      return toJson(await kubernetes.replace(LEASES, lease, request.object, {}, signal))
  }
}

async function found(
  kubernetes: Kubernetes,
  type: ResourceType<AnyObject>,
  at: { readonly namespace?: string; readonly name: string },
  signal: AbortSignal,
): Promise<AnyObject> {
  const object = await kubernetes.get(type, at, signal)
  if (object) return object
  throw Object.assign(new Error(`${type.plural} "${at.name}" not found`), {
    fields: { reason: 'NotFound', status: 404 },
  })
}

/** KubeEdge's node update merges labels and annotations into the Node that is there. */
function labelsOf(object: JsonObject): JsonObject {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {}
  return { metadata: { labels: metadata['labels'] ?? {}, annotations: metadata['annotations'] ?? {} } }
}

/** A Kubernetes Status, as an edge reads it in Err.ErrStatus. */
function statusOf(error: unknown): JsonObject {
  const fields = error instanceof Error && 'fields' in error && isRecord(error.fields) ? error.fields : {}
  const reason = reasonOfError(error) ?? 'ServiceUnavailable'
  return {
    kind: 'Status',
    apiVersion: 'v1',
    status: 'Failure',
    message: detailOfError(error) || describeError(error),
    reason,
    code: typeof fields['status'] === 'number' ? fields['status'] : 503,
  }
}

function toJson(object: AnyObject): Json {
  return JSON.parse(JSON.stringify(object))
}
