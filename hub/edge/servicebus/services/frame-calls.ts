import {
  type Frame,
  GROUPS,
  type HeaderLists,
  MODULES,
  OPERATIONS,
  parseServiceRequest,
  serviceAnswerContent,
} from '../../../../schemas/index.ts'
import type { FrameFactory } from '../../../link/index.ts'
import { errorAnswer, ServiceError } from '../service-error.ts'
import { pairsOf, type RawHeaders } from './end-to-end.ts'
import type { ServiceCalls } from './service-calls.ts'

/** KubeEdge reads no more of an answer, and cuts off what is longer without a word. */
const MOST_IN_A_FRAME = 5_000_000

/**
 * Answers a frame that calls a local service, always: KubeEdge's Router lets its caller wait a minute for an answer that does
 * not come. Operation `upload` makes it one that the Router gets to see, also for a failure.
 */
export async function answerCall(
  frame: Frame,
  {
    calls,
    frames,
    signal,
  }: { readonly calls: ServiceCalls; readonly frames: FrameFactory; readonly signal: AbortSignal },
): Promise<Frame> {
  const route = { source: MODULES.serviceBus, group: GROUPS.user, operation: OPERATIONS.upload, resource: '' }
  const reply = (status: number, headers: HeaderLists, body: Buffer) =>
    frames.reply(frame, serviceAnswerContent({ status, headers, body: body.toString('base64') }), route)
  try {
    const { status, headers, body } = await exchange(frame, calls, signal)
    return reply(status, headers, body)
  } catch (error) {
    const { status, headers, body } = errorAnswer(error)
    return reply(status, listsOf(Object.entries(headers).flat()), body)
  }
}

async function exchange(frame: Frame, calls: ServiceCalls, signal: AbortSignal) {
  const { resource = '', operation = '' } = frame.route
  const [, port = '', path = ''] = /^(\d{1,5}):(\/?.*)$/s.exec(resource) ?? []
  if (port === '') throw malformed('its resource is not <port>:<path>')
  const request = parseServiceRequest(frame.content)
  if (!request) throw malformed('its content is no HTTP request')
  let answer: { status: number; headers: HeaderLists; body: Buffer } | undefined
  await calls.call(
    {
      port: Number(port),
      // KubeEdge's edge calls with the method in the content.
      method: (request.method || operation).toUpperCase(),
      path: path.startsWith('/') ? path : `/${path}`,
      headers: rawOf(request.headers),
      body: Buffer.from(request.body, 'base64'),
      deadlineMs: request.deadlineMs,
      maxAnswerBytes: MOST_IN_A_FRAME,
    },
    signal,
    async ({ status, headers, chunks }) => {
      const parts: Buffer[] = []
      for await (const chunk of chunks) parts.push(chunk)
      answer = { status, headers: listsOf(headers), body: Buffer.concat(parts) }
    },
  )
  if (!answer) throw malformed('it was not answered')
  return answer
}

function rawOf(headers: HeaderLists): RawHeaders {
  return Object.entries(headers).flatMap(([name, values]) => values.flatMap((value) => [name, value]))
}

function listsOf(headers: RawHeaders): HeaderLists {
  const lists = new Map<string, string[]>()
  for (const [name, value] of pairsOf(headers)) {
    const key = canonical(name)
    const list = lists.get(key)
    if (list) list.push(value)
    else lists.set(key, [value])
  }
  return Object.fromEntries(lists)
}

/** As Go spells header names: `content-type` is `Content-Type`. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase())
}

function malformed(reason: string): ServiceError {
  return new ServiceError(400, 'The call of a local service is malformed', {
    code: 'HUB_SERVICE_REQUEST_MALFORMED',
    fields: { reason },
  })
}
