import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { type Clock, type Duration, Watchdog } from '../../../../platform/time/index.ts'
import { SERVICE_ERROR_HEADER } from '../../../../schemas/index.ts'
import type { Tunnels } from '../../../tunnel/index.ts'
import type { CloudHub } from '../../cloudhub/delivery.ts'
import { CallRefusal } from '../router-error.ts'
import { callInFrames, type ServiceRequest } from '../targets/service-frame.ts'
import { callInStream, type StreamWay } from '../targets/service-stream.ts'
import { sendAnswer } from './answers.ts'
import { answeredHeaders } from './headers.ts'
import { wholeBody } from './whole-body.ts'

export interface ServiceCallPorts {
  readonly hub: Pick<CloudHub, 'ask' | 'peerOf'>
  /** Absent: local services are called in frames alone. */
  readonly tunnels?: Pick<Tunnels, 'isOpen' | 'open'>
  readonly clock: Clock
}

/** A request that came in over HTTP, whose answer goes back over HTTP. */
export interface ServiceCall {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly call: ServiceRequest
  readonly limits: { readonly timeout: Duration; readonly maxBodyBytes: number }
  readonly signal: AbortSignal
}

/** Takes calls to local services of nodes and their answers back. */
export class ServiceCalls {
  readonly #ports: ServiceCallPorts

  constructor(ports: ServiceCallPorts) {
    this.#ports = ports
  }

  /** Where the node is connected to this process. Settles with the code of the node's ServiceBus, where that has answered in the place of the service. */
  async serve(exchange: ServiceCall): Promise<string | undefined> {
    const { request, response, call, limits, signal } = exchange
    const { hub, tunnels, clock } = this.#ports
    if (hub.peerOf(call.node)?.skerry !== false && tunnels?.isOpen(call.node)) return this.stream(exchange, tunnels)
    const body = await wholeBody(request, limits.maxBodyBytes, { clock, signal })
    const answer = await callInFrames(hub, call, body, { deadline: limits.timeout, signal })
    sendAnswer(request, response, answer)
    return answer.headers[SERVICE_ERROR_HEADER]?.[0]
  }

  /** Both bodies go as they come, with back-pressure. */
  async stream({ request, response, call, limits, signal }: ServiceCall, way: StreamWay): Promise<string | undefined> {
    const { clock } = this.#ports
    const over = new AbortController()
    const end = (reason: unknown) => over.abort(reason)
    const onAbort = () => end(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    let bytes = 0
    const count = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > limits.maxBodyBytes) end(tooLarge())
    }
    const { headers } = request
    const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    const length = headers['content-length'] === undefined ? {} : { length: Number(headers['content-length']) }
    try {
      if (hasBody) request.on('data', count).pause()
      const body = hasBody ? { stream: request, ...length } : undefined
      const exchange = callInStream(call, body, { way, clock, deadline: limits.timeout, signal: over.signal })
      const answer = await Promise.race([exchange, rejectedBy(over.signal)])
      const kept = answeredHeaders(Object.entries(answer.headersDistinct))
      const whole = answer.headers['content-length']
      // What is not read of the body must not be taken for the next request.
      if (!request.complete) response.setHeader('connection', 'close')
      response.writeHead(answer.statusCode ?? 502, {
        ...listsOf(kept),
        ...(whole === undefined ? {} : { 'content-length': whole }),
      })
      using dog = new Watchdog(clock, limits.timeout, (error) => answer.destroy(error))
      answer.on('data', () => dog.heard())
      response.on('drain', () => dog.heard())
      await pipeline(answer, response)
      return answer.headersDistinct[SERVICE_ERROR_HEADER]?.[0]
    } finally {
      signal.removeEventListener('abort', onAbort)
      request.off('data', count)
    }
  }
}

export function tooLarge(): CallRefusal {
  const message = 'the body is larger than the rule allows (skerry.dev/max-body-bytes)'
  return new CallRefusal({ status: 413, code: 'HUB_BODY_TOO_LARGE', message })
}

function rejectedBy(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason)
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}

function listsOf(headers: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, [...values]]))
}
