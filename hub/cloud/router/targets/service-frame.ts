import { type Duration, ms } from '../../../../platform/time/index.ts'
import { GROUPS, MODULES, parseServiceAnswer, serviceRequestContent } from '../../../../schemas/index.ts'
import { contentOf } from '../../../link/index.ts'
import type { CloudHub } from '../../cloudhub/delivery.ts'
import { CallRefusal } from '../router-error.ts'
import { answeredHeaders, type HeaderMap } from '../serving/headers.ts'

export interface ServiceRequest {
  readonly node: string
  readonly port: string
  /** As it goes into the request line, with a slash at its beginning and its query. */
  readonly path: string
  readonly method: string
  readonly headers: HeaderMap
}

export interface WholeAnswer {
  readonly status: number
  readonly headers: HeaderMap
  readonly body: Buffer
}

export interface CallOptions {
  readonly deadline: Duration
  readonly signal?: AbortSignal
}

/** The answer of an edge that knows the deadline may be under way for so long beyond it. */
const ROAD_MS = 2000

/** Calls a local service of a node in one frame each way, once. Rejects as CloudHub.ask does. */
export async function callInFrames(
  hub: Pick<CloudHub, 'ask' | 'peerOf'>,
  { node, port, path, method, headers }: ServiceRequest,
  body: Buffer,
  { deadline, signal }: CallOptions,
): Promise<WholeAnswer> {
  const isSkerry = hub.peerOf(node)?.skerry === true
  // KubeEdge parts the resource at each colon.
  const resource = `${port}:${isSkerry ? path : path.replaceAll(':', '%3A')}`
  const route = { source: MODULES.routerServiceBus, group: GROUPS.user, operation: method, resource }
  const deadlineMs = deadline.milliseconds
  const request = { method, headers, body: body.toString('base64'), ...(isSkerry ? { deadlineMs } : {}) }
  const patience = isSkerry ? ms(deadlineMs + ROAD_MS) : deadline
  const question = { route, content: serviceRequestContent(request) }
  const frame = await hub.ask(node, question, { deadline: patience, ...(signal ? { signal } : {}) })
  const answer = parseServiceAnswer(contentOf(frame) ?? null)
  if (!answer || answer.status < 200) throw malformed()
  const { status, headers: given, body: base64 } = answer
  return { status, headers: answeredHeaders(Object.entries(given)), body: Buffer.from(base64, 'base64') }
}

function malformed(): CallRefusal {
  const message = 'the node answered with what is no answer of a service'
  return new CallRefusal({ status: 502, code: 'HUB_SERVICE_ANSWER', message })
}
