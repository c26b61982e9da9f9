import { type Duration, ms } from '../../../../platform/time/index.ts'
import { GROUPS, type Json, type JsonObject } from '../../../../schemas/index.ts'
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

export interface ServiceAnswer {
  readonly status: number
  readonly headers: HeaderMap
  readonly body: Uint8Array
}

export interface CallOptions {
  readonly deadline: Duration
  readonly signal?: AbortSignal
}

/** The edge's answer is under way for so long at most, after its own deadline. */
const ROAD = ms(2000)

/** Calls a local service of a node in one frame each way, once. Rejects as CloudHub.ask does. */
export async function callInFrames(
  hub: Pick<CloudHub, 'ask' | 'peerOf'>,
  { node, port, path, method, headers }: ServiceRequest,
  body: Uint8Array,
  { deadline, signal }: CallOptions,
): Promise<ServiceAnswer> {
  const isSkerry = hub.peerOf(node)?.skerry === true
  // KubeEdge parts the resource at each colon.
  const resource = `${port}:${isSkerry ? path : path.replaceAll(':', '%3A')}`
  const route = { source: 'router_servicebus', group: GROUPS.user, operation: method, resource }
  const content: JsonObject = {
    header: headers,
    body: body.length === 0 ? null : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('base64'),
    method,
    url: '',
    ...(isSkerry ? { skerry: { deadlineMs: deadline.milliseconds } } : {}),
  }
  const patience = isSkerry ? ms(deadline.milliseconds + ROAD.milliseconds) : deadline
  const frame = await hub.ask(node, { route, content }, { deadline: patience, ...(signal ? { signal } : {}) })
  const answer = answerOf(frame.content)
  if (!answer) throw malformed()
  return answer
}

function answerOf(content: Json): ServiceAnswer | undefined {
  const fields = recordOf(typeof content === 'string' ? parsed(content) : content)
  const { status_code: status, header, body } = fields
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 200 || status > 599) return undefined
  const base64 = typeof body === 'string' ? body : ''
  return { status, headers: answeredHeaders(Object.entries(recordOf(header))), body: Buffer.from(base64, 'base64') }
}

function malformed(): CallRefusal {
  return new CallRefusal({ status: 502, code: 'HUB_SERVICE_ANSWER', message: 'the node answered with what is no answer' })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {}
}
